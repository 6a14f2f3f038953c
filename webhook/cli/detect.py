"""`hybrid-guard detect`: which network this is, with the evidence."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from webhook.audit.origin import start_of
from webhook.cli import objects, options
from webhook.detect import Survey, text
from webhook.placement.model import CloudNodes


@click.command()
@options.cluster("Look at a live cluster.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@click.argument("paths", metavar="[F]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    cluster: bool,  # noqa: FBT001  # click passes by name
    kubeconfig: Path | None,
    context: str | None,
    output: str,
    paths: tuple[str, ...],
) -> None:
    """Tell how the on-prem CNI moves packets: overlay, bgp or host, or that it cannot be told.

    Read from DaemonSets, their ConfigMaps and resources such as IPPool, in files, folders,
    standard input or a live cluster, with what speaks for and against it.

    \b
    Examples:
      hybrid-guard detect calico.yaml ippools.yaml
      hybrid-guard detect --cluster -o json
      kubectl get daemonsets,configmaps,nodes -A -o yaml | hybrid-guard detect -

    Exit status: 0 also where it cannot be told, 2 a file is broken or usage, 3 a file is missing or
    unreadable, or the cluster cannot be looked at.
    """
    options.check_cluster(cluster=cluster, kubeconfig=kubeconfig, context=context, paths=paths)
    status, survey = (0, _look(kubeconfig, context)) if cluster else _read(paths)
    detection = survey.detection()
    told = (
        text.document(detection) if output == "json" else text.render(detection, options.painter())
    )
    click.echo(told, nl=False)
    ctx.exit(status)


def _read(paths: tuple[str, ...]) -> tuple[int, Survey]:
    """Return the exit status that unreadable files ask for, and what the others hold."""
    survey, reading = Survey(), objects.Reading(paths)
    for manifest in reading.manifests():
        survey.add(manifest.object, functools.partial(start_of, manifest))
    return reading.status, survey


def _look(kubeconfig: Path | None, context: str | None) -> Survey:
    connection = options.connect(kubeconfig, context)
    from webhook.kube import network  # noqa: PLC0415  # imported by now
    from webhook.kube.cluster import ClusterError  # noqa: PLC0415

    try:
        return network.look(connection, CloudNodes())
    except ClusterError as error:
        raise options.not_reached(error) from None
