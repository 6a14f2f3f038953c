"""A report for people: one paragraph a workload, findings with the fix below."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from webhook.audit.formats.output import Output, Paint
from webhook.audit.formats.table import COLOURS, excerpt, summary
from webhook.audit.report import Report, Row
from webhook.findings import Finding
from webhook.placement.model import Witness


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write a paragraph for each workload, what else was found, and a summary."""
    paint = output.paint
    lines: list[str] = []
    told: set[int] = set()
    for row in rows:
        lines += _row(row, paint)
        for number, finding in enumerate(report.findings):
            if finding.object == row.ref and finding.location.file == row.location.file:
                told.add(number)
                lines += _finding(finding, report, paint)
        lines.append("")
    rest = [f for number, f in enumerate(report.findings) if number not in told]
    for finding in rest:
        lines += [_head(finding, paint), *_finding(finding, report, paint), ""]
    lines.append(summary(report))
    output.write("\n".join(lines) + "\n")


def _row(row: Row, paint: Paint) -> Iterator[str]:
    place = f"{row.location.file}:{row.location.line}"
    yield f"{paint(str(row.ref), 'bold')}  {place}"
    yield f"  placement  {row.decision.placement} ({row.decision.why})"
    if row.proof is not None:
        yield f"  can land   {row.proof.sides}"
        yield f"    on-prem  {_witness(row.proof.on_prem)}"
        yield f"    cloud    {_witness(row.proof.cloud)}"
    for op in row.ops:
        yield f"  patch      add {'/'.join(map(str, op.path))}"
        yield f"             {json.dumps(op.value)}"
    if row.quiet:
        yield f"  patch      none: {row.quiet}"
    for note in row.notes:
        yield f"  note       {note}"


def _witness(witness: Witness) -> str:
    if not witness.possible:
        return f"no: {witness.reason}"
    labels = ", ".join(f"{key}={value}" for key, value in (witness.labels or {}).items())
    return f"yes: {witness.reason}; such a node has {labels or 'no label'}"


def _head(finding: Finding, paint: Paint) -> str:
    return f"{paint(str(finding.object or ''), 'bold')}  {finding.location.file}"


def _finding(finding: Finding, report: Report, paint: Paint) -> Iterator[str]:
    location = finding.location
    place = f"{location.file}:{location.line}:{location.column}"
    yield f"  {paint(finding.level, COLOURS[finding.level])}  {finding}  ({place})"
    yield from excerpt(finding, report, paint)
    if finding.fix:
        yield f"    fix: {finding.fix}"
