"""A report's findings for people: worst first, each with its place, excerpt and fix."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.audit.report import Report
from webhook.audit.text import COLOURS, Paint, excerpt, summary
from webhook.findings import Finding, Level

_LEVELS = {level: place for place, level in enumerate(Level)}
_INDENT = " " * 17


def render(report: Report, paint: Paint) -> str:
    """Return the text; `paint(text, colour)` colours it, or does not."""
    lines: list[str] = []
    for finding in sorted(report.findings, key=lambda found: _LEVELS[found.level]):
        lines += [*_finding(finding, report, paint), ""]
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


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
