"""`hybrid-guard audit`: what is wrong in manifests, by the rules that admission applies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from webhook.audit.formats import FORMATS
from webhook.audit.formats.policyreport import APIS
from webhook.audit.origin import Origin
from webhook.audit.report import Row
from webhook.audit.run import Audit
from webhook.cli import FOUND, INTERRUPTED, options, output
from webhook.cli.progress import Interruptible, Progress
from webhook.cli.sources import Files, LiveCluster, Source
from webhook.policy.words import Placement


@click.command()
@options.policy
@options.namespace_labels
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="table", show_default=True
)
@click.option(
    "--report-api",
    type=click.Choice(list(APIS)),
    default="wgpolicyk8s",
    show_default=True,
    help="Which PolicyReport API the cluster serves.",
)
@options.cluster("Audit a live cluster.")
@click.option("-v", "--verbose", is_flag=True, help="List what was skipped, and why.")
@click.argument("paths", metavar="[F]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    form: str,
    report_api: str,
    cluster: bool,  # noqa: FBT001  # click passes by name
    kubeconfig: Path | None,
    context: str | None,
    verbose: bool,  # noqa: FBT001
    paths: tuple[str, ...],
) -> None:
    """Audit manifests in files, folders or standard input, or a live cluster.

    Workloads that can land on the wrong side, and every rule of eni-config and its overrides, as
    the manifest is written: also what admission would mend. What cannot be read is told on standard
    error, and the rest is audited all the same. Owners are judged, not the ReplicaSets and pods
    that they make.

    \b
    Examples:
      hybrid-guard audit --network bgp manifests/
      hybrid-guard audit --policy policy.yaml --format json eni-config.yaml
      helm template terway ./terway | hybrid-guard audit --network bgp -
      kubectl get all,configmaps -A -o json | hybrid-guard audit --network bgp
      hybrid-guard audit --network bgp --cluster --context production

    Exit status: 0 nothing at level error, 1 findings at level error, 2 a file is broken or usage,
    3 a file is missing or unreadable, or nothing of the cluster could be read, 130 interrupted.
    """
    options.check_cluster(cluster=cluster, kubeconfig=kubeconfig, context=context, paths=paths)
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    progress = Progress(shown=form == "table" or not sys.stdout.isatty())
    source: Source = (
        LiveCluster(kubeconfig, context, policy=policy, given=given, progress=progress)
        if cluster
        else Files(paths, given, progress)
    )
    placements: dict[str, Placement] = {}
    audit = Audit(policy, placements)
    with Interruptible(source.walk(placements)) as found:
        rows = _rows(audit, found, source, progress)
        FORMATS[form].render(rows, audit.report, output.standard(report_api))
    source.tell(each=verbose)
    if found.stopped:
        progress.say("interrupted: the report holds what was found up to there")
        ctx.exit(INTERRUPTED)
    ctx.exit(source.status or (FOUND if audit.report.has_errors else 0))


def _rows(
    audit: Audit,
    found: Interruptible[tuple[dict[str, Any], Origin]],
    source: Source,
    progress: Progress,
) -> Iterator[Row]:
    """Yield the workloads; when they end, the report is whole."""
    for obj, origin in found:
        row = audit.judge(obj, origin)
        if row:
            yield row
    audit.conclude(complete=source.whole and not found.stopped, blind=source.blind)
    progress.clear()
