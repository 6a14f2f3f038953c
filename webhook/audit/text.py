"""A report for people: one paragraph a workload, findings with the fix below."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from webhook.audit.formats.output import Output, Paint, visible
from webhook.audit.formats.table import COLOURS, excerpt, summary
from webhook.audit.report import Report, Row
from webhook.explain.explanation import Explanation
from webhook.findings import Finding, Location, ObjectRef
from webhook.placement.model import Witness


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write a paragraph for each workload, what else was found, and a summary."""
    paint = output.paint
    paragraphs = [(row, list(_row(row, paint))) for row in rows]
    of: dict[tuple[ObjectRef | None, str | None], list[Finding]] = {}
    for finding in report.findings:
        of.setdefault((finding.object, finding.location.file), []).append(finding)
    lines: list[str] = []
    for row, paragraph in paragraphs:
        lines += paragraph
        for finding in of.pop((row.ref, row.location.file), ()):
            lines += _finding(finding, report, paint)
        lines.append("")
    for finding in (finding for findings in of.values() for finding in findings):
        lines += [_head(finding, paint), *_finding(finding, report, paint), ""]
    lines.append(summary(report))
    output.write("\n".join(lines) + "\n")


def _row(row: Row, paint: Paint) -> Iterator[str]:
    yield _title(row.ref, replace(row.location, column=None), paint)
    yield from map(visible, _told(row))


def _told(row: Row) -> Iterator[str]:
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
    if row.more is not None:
        yield from _more(row.more)


def _title(ref: ObjectRef | None, place: Location, paint: Paint) -> str:
    return f"{paint(visible(str(ref or '')), 'bold')}  {visible(str(place))}".rstrip()


def _more(more: Explanation) -> Iterator[str]:
    """Yield what a change restarts, who else writes, and what to write there instead."""
    if more.rollout:
        yield f"  rollout    {more.rollout}"
    for writer in more.writers:
        yield f"  written    {', '.join(writer.fields)} by {writer.manager} ({writer.operation})"
    for owner in more.owners:
        yield f"  owner      {owner.name} ({owner.because})"
        yield f"             {owner.does}"
        yield from (f"               {line}" for line in owner.knob)


def _witness(witness: Witness) -> str:
    if not witness.possible:
        return f"no: {witness.reason}"
    labels = ", ".join(f"{key}={value}" for key, value in (witness.labels or {}).items())
    return f"yes: {witness.reason}; such a node has {labels or 'no label'}"


def _head(finding: Finding, paint: Paint) -> str:
    return _title(finding.object, Location(file=finding.location.file), paint)


def _finding(finding: Finding, report: Report, paint: Paint) -> Iterator[str]:
    place = visible(str(finding.location))
    level = paint(finding.level, COLOURS[finding.level])
    yield f"  {level}  {visible(str(finding))}" + (f"  ({place})" if place else "")
    yield from excerpt(finding, report, paint)
    if finding.fix:
        yield f"    fix: {visible(finding.fix)}"
