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
@options.cluster("Only those that the cluster does not have.")
def print_crds(cluster: bool, kubeconfig: Path | None, context: str | None) -> None:  # noqa: FBT001  # click's signature
    """Print the manifests, all eight or only the missing ones.

    What exists is never printed, so that nothing of an existing Calico's is overwritten.

    \b
    Examples:
      hybrid-guard crds print
      hybrid-guard crds print --cluster --kubeconfig admin.conf | kubectl apply -f -
    """
    options.check_cluster(cluster=cluster, kubeconfig=kubeconfig, context=context)
    wanted = calico.missing(_names(kubeconfig, context)) if cluster else calico.CRDS
    if not wanted:
        click.echo("nothing is missing: the cluster has all eight", err=True)
        return
    manifests = (yaml.safe_dump(crd.manifest(), sort_keys=False) for crd in wanted)
    click.echo(_HEAD + "---\n".join(manifests), nl=False)
    if cluster:
        click.echo(f"{len(wanted)} of {len(calico.CRDS)} are missing", err=True)


def _names(kubeconfig: Path | None, context: str | None) -> list[str]:
    connection = options.connect(kubeconfig, context)
    from webhook.kube.cluster import ClusterError  # noqa: PLC0415  # imported by now

    try:
        return connection.crd_names()
    except ClusterError as error:
        raise options.not_reached(error) from None
