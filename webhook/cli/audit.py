"""`hybrid-guard audit`: what is wrong in manifests, by the rules that admission applies."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from webhook.audit.baseline import Baseline
from webhook.audit.formats import FORMATS
from webhook.audit.formats.policyreport import APIS, DEFAULT_API
from webhook.audit.origin import Origin
from webhook.audit.report import Report, Row
from webhook.audit.run import Audit
from webhook.cli import FOUND, INTERRUPTED, baseline, options, output
from webhook.cli.progress import Interruptible, Progress
from webhook.cli.sources import Files, LiveCluster, Source


@click.command()
@options.policy
@options.namespace_labels
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="How to show what is found, on standard output.",
)
@click.option(
    "--report-api",
    type=click.Choice(list(APIS)),
    help="With policyreport: of which API.  [default: what the cluster serves, else wgpolicyk8s]",
)
@options.cluster("Audit a live cluster.")
@click.option(
    "--baseline",
    "known",
    metavar="F",
    type=click.Path(path_type=Path),
    help="Accepted findings, of --write-baseline or a JSON report: only others are told.",
)
@click.option(
    "--write-baseline",
    "accept",
    metavar="F",
    type=click.Path(path_type=Path),
    help="Write that file with all that is found, instead of a report.",
)
@click.option(
    "--merged",
    is_flag=True,
    help="Judge overrides of eni-config as merged with it, by what nodes name.",
)
@click.option("-v", "--verbose", is_flag=True, help="List what was skipped, and why.")
@click.argument("paths", metavar="[F]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    form: str,
    report_api: str | None,
    cluster: bool,  # noqa: FBT001  # click passes by name
    kubeconfig: Path | None,
    context: str | None,
    known: Path | None,
    accept: Path | None,
    merged: bool,  # noqa: FBT001
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
      hybrid-guard audit --network bgp --format html manifests/ > report.html
      hybrid-guard audit --network bgp --format sarif manifests/ > audit.sarif
      helm template terway ./terway | hybrid-guard audit --network bgp -
      kubectl get all,configmaps -A -o json | hybrid-guard audit --network bgp
      hybrid-guard audit --network bgp --cluster --context production
      hybrid-guard audit --network bgp --cluster --merged --kubeconfig admin.conf
      hybrid-guard audit --network bgp --write-baseline known.yaml manifests/
      hybrid-guard audit --network bgp --baseline known.yaml manifests/

    Exit status: 0 nothing at level error, 1 findings at level error, 2 a file is broken or usage,
    3 a file is missing or unreadable, or nothing of the cluster could be read, 130 interrupted.
    """
    options.check_cluster(cluster=cluster, kubeconfig=kubeconfig, context=context, paths=paths)
    if known and accept:
        raise click.UsageError("give --baseline or --write-baseline, not both")
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    progress = Progress(shown=form == "table" or not sys.stdout.isatty())
    source: Source = (
        LiveCluster(kubeconfig, context, policy=policy, given=given, progress=progress)
        if cluster
        else Files(paths, given, progress)
    )
    audit = Audit(policy, merged=merged)
    run = _Run(audit, source, progress, baseline.load(known) if known else None)
    with Interruptible(source.walk(audit.placements)) as found:
        rows = run.rows(found)
        if accept:
            deque(rows, maxlen=0)
        else:
            api = report_api or _served(source, form)
            FORMATS[form].render(rows, run.report, output.standard(api))
    source.tell(each=verbose)
    run.tell()
    if accept:
        run.accept(accept)
    ctx.exit(run.status)


def _served(source: Source, form: str) -> str:
    """Return the API of reports that a cluster serves; the elder, where it is both or none."""
    if form == "policyreport":
        for name, (api, *_) in APIS.items():
            if source.serves(api):
                return name
    return DEFAULT_API


class _Run:
    """One audit on its way from a source to an exit status."""

    def __init__(
        self, audit: Audit, source: Source, progress: Progress, known: Baseline | None
    ) -> None:
        self._audit = audit
        self._source = source
        self._progress = progress
        self._known = known
        self._stopped = False

    @property
    def report(self) -> Report:
        """What is found."""
        return self._audit.report

    @property
    def status(self) -> int:
        """The exit status: the worst of what could not be read, else by the findings."""
        if self._stopped:
            return INTERRUPTED
        return self._source.status or (FOUND if self.report.has_errors else 0)

    def rows(self, found: Interruptible[tuple[dict[str, Any], Origin]]) -> Iterator[Row]:
        """Yield the workloads; when they end, the report is whole."""
        for obj, origin in found:
            row = self._audit.judge(obj, origin)
            if row:
                yield row
        source, self._stopped = self._source, found.stopped
        self._audit.conclude(
            complete=source.whole and not found.stopped,
            blind=source.blind,
            live=source.live,
            forgeries=source.forgeries,
        )
        if self._known:
            self._known.apply(self.report, whole=self.report.complete and not source.status)
        self._progress.clear()

    def tell(self) -> None:
        """Say what a reader of the report should know."""
        say = self._progress.say
        if self._stopped:
            say("interrupted: the report holds what was found up to there")
        elif self.report.resolved:
            for name in self.report.resolved:
                say(f"note: accepted, and gone: {name}")
            say("note: --write-baseline writes the baseline without them")

    def accept(self, path: Path) -> None:
        """Write the baseline, if all there is was looked at."""
        if self._stopped or self._source.status:
            self._progress.say(f"{path}: not written, because not everything could be read")
            return
        baseline.save(path, self.report.findings)
        self._progress.say(f"{path}: {len(self.report.findings)} findings accepted")
        self.report.findings = []
