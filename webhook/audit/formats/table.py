"""A report's findings for people: worst first, each with its place, excerpt and fix."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from webhook.audit.formats.output import Output, Paint
from webhook.audit.report import Report, Row
from webhook.findings import Finding, Level

COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}

_LEVELS = {level: place for place, level in enumerate(Level)}
_INDENT = " " * 17


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write the findings and a summary; the rows are only waited for."""
    deque(rows, maxlen=0)
    for finding in sorted(report.findings, key=lambda found: _LEVELS[found.level]):
        for line in (*_finding(finding, report, output.paint), ""):
            output.write(f"{line}\n")
    output.write(f"{summary(report)}\n")


def _finding(finding: Finding, report: Report, paint: Paint) -> Iterator[str]:
    location = finding.location
    place = ":".join(str(p) for p in (location.file, location.line, location.column) if p)
    level = paint(f"{finding.level:<8}", COLOURS[finding.level])
    yield f"{level} {finding.rule:<7} {paint(str(finding.object or ''), 'bold')}  {place}"
    yield f"{_INDENT}{finding.message}"
    for line in excerpt(finding, report, paint):
        yield f"{_INDENT[:-7]}{line}"
    if finding.fix:
        yield f"{_INDENT}fix: {finding.fix}"


def excerpt(finding: Finding, report: Report, paint: Paint) -> Iterator[str]:
    """Yield the line a finding points at, with a caret below it, where there is one."""
    found = report.excerpts.get(finding.location)
    if found is not None:
        number = f"{found.line:>7} | "
        yield f"{number}{found.text}"
        yield f"{'| ':>{len(number)}}{' ' * found.caret}{paint('^', COLOURS[finding.level])}"


def summary(report: Report) -> str:
    """Return the last line: how much was looked at, how much was found."""
    counts = ", ".join(f"{report.count(level)} {level}s" for level in Level)
    return f"{report.workloads} workloads, {report.other} other objects: {counts}"
