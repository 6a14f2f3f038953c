"""`hybrid-guard crds`: the Calico CRDs that Terway's NetworkPolicy needs."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from webhook.cli import options
from webhook.crds import calico

_HEAD = """\
# The Calico CRDs that Terway's NetworkPolicy needs, apiextensions.k8s.io/v1.
# Where Calico runs it brought its own: apply only what `crds print --cluster` prints.
"""


@click.group()
def command() -> None:
    """The CustomResourceDefinitions of Calico's that Felix in Terway reads.

    \b
    Examples:
      hybrid-guard crds print --cluster | kubectl apply -f -
    """


@command.command("print")
@click.option("--cluster", is_flag=True, help="Only those that the cluster does not have.")
@click.option(
    "--kubeconfig", metavar="F", type=click.Path(path_type=Path), help="Instead of KUBECONFIG."
)
def print_crds(cluster: bool, kubeconfig: Path | None) -> None:  # noqa: FBT001  # click's signature
    """Print the manifests, all eight or only the missing ones.

    What exists is never printed, so that nothing of an existing Calico's is overwritten.

    \b
    Examples:
      hybrid-guard crds print
      hybrid-guard crds print --cluster --kubeconfig admin.conf | kubectl apply -f -
    """
    if kubeconfig is not None and not cluster:
        raise click.UsageError("--kubeconfig is for --cluster")
    wanted = calico.missing(_names(kubeconfig)) if cluster else calico.CRDS
    if not wanted:
        click.echo("nothing is missing: the cluster has all eight", err=True)
        return
    manifests = (yaml.safe_dump(crd.manifest(), sort_keys=False) for crd in wanted)
    click.echo(_HEAD + "---\n".join(manifests), nl=False)
    if cluster:
        click.echo(f"{len(wanted)} of {len(calico.CRDS)} are missing", err=True)


def _names(kubeconfig: Path | None) -> list[str]:
    from webhook.kube.cluster import Cluster, ClusterError  # noqa: PLC0415  # a second to import

    try:
        return Cluster(kubeconfig).crd_names()
    except ClusterError as error:
        fix = "fix: set KUBECONFIG or give --kubeconfig F"
        raise options.NotReachedError(f"cannot look at the cluster: {error}\n  {fix}") from None
