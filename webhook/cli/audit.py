"""`hybrid-guard audit`: what is wrong in manifests, by the rules that admission applies."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from webhook.audit.formats import FORMATS
from webhook.audit.formats.policyreport import APIS
from webhook.audit.origin import Origin
from webhook.audit.report import Row
from webhook.audit.run import Audit
from webhook.cli import FOUND, INTERRUPTED, objects, options, output
from webhook.cli.progress import Interruptible, Progress
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
    verbose: bool,  # noqa: FBT001  # click passes by name
    paths: tuple[str, ...],
) -> None:
    """Audit manifests in files, folders or standard input.

    Workloads that can land on the wrong side, and every rule of eni-config and its overrides, as
    the manifest is written: also what admission would mend. A file that cannot be read is told on
    standard error, and the others are audited all the same.

    \b
    Examples:
      hybrid-guard audit --network bgp manifests/
      hybrid-guard audit --policy policy.yaml --format json eni-config.yaml
      helm template terway ./terway | hybrid-guard audit --network bgp -

    Exit status: 0 nothing at level error, 1 findings at level error, 2 a file is broken or usage,
    3 a file is missing or unreadable.
    """
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    progress = Progress(shown=form == "table" or not sys.stdout.isatty())
    reading = objects.Reading(paths, progress.say)
    placements: dict[str, Placement] = {}
    audit = Audit(policy, placements)
    with Interruptible(_watched(reading, given, placements, progress)) as found:
        rows = _rows(audit, found, progress)
        FORMATS[form].render(rows, audit.report, output.standard(report_api))
    reading.tell_skipped(each=verbose)
    if found.stopped:
        progress.say("interrupted: the report holds what was found up to there")
        ctx.exit(INTERRUPTED)
    ctx.exit(reading.status or (FOUND if audit.report.has_errors else 0))


def _rows(
    audit: Audit, found: Interruptible[tuple[dict[str, Any], Origin]], progress: Progress
) -> Iterator[Row]:
    """Yield the workloads; when they end, the report is whole."""
    for obj, origin in found:
        row = audit.judge(obj, origin)
        if row:
            yield row
    audit.conclude(complete=not found.stopped)
    progress.clear()


def _watched(
    reading: objects.Reading,
    given: Mapping[str, Placement],
    placements: dict[str, Placement],
    progress: Progress,
) -> Iterator[tuple[dict[str, Any], Origin]]:
    """Yield the objects; what Namespaces say is known before the first."""
    placements.update(reading.placements(given))
    size = reading.inputs.size
    for count, manifest in enumerate(reading.manifests()):
        progress.update(f"{count:,} objects", reading.inputs.done / size if size else 0)
        yield manifest.object, manifest
