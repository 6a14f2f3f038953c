"""`hybrid-guard audit`: what is wrong in manifests, by the rules that admission applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from webhook.audit import inspect
from webhook.audit.crosscheck import Seen
from webhook.audit.formats import FORMATS
from webhook.audit.formats.policyreport import APIS
from webhook.audit.report import Report, Row
from webhook.cli import FOUND, objects, options, output
from webhook.cli.objects import Source
from webhook.findings import Location
from webhook.policy.model import Policy
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
@click.argument("paths", metavar="[F]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    form: str,
    report_api: str,
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
    sources, failures = objects.read_all(paths)
    for failure in failures:
        failure.show()
    report = Report()
    rows = audit(sources, policy, objects.namespace_placements(sources, given), report)
    FORMATS[form].render(rows, report, output.standard(report_api))
    worst = max((failure.exit_code for failure in failures), default=0)
    ctx.exit(worst or (FOUND if report.has_errors else 0))


def audit(
    sources: list[Source], policy: Policy, placements: dict[str, Placement], report: Report
) -> Iterator[Row]:
    """Judge every object, then what several tell together; yield the workloads."""
    seen = Seen(policy)
    for source in sources:
        for manifest in source.manifests:
            row = inspect.inspect(
                manifest.object, policy, report, source=manifest, namespace_placements=placements
            )
            if row:
                yield row
            line, column = manifest.locate(())
            seen.add(manifest.object, Location(file=source.file, line=line, column=column))
    report.findings += [
        replace(finding, location=replace(finding.location, pointer=""))
        for finding in seen.findings()
    ]
