"""A report's findings for people: worst first, each with its place, excerpt and fix."""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Iterable, Iterator

from webhook.audit.formats.output import Output, Paint, visible
from webhook.audit.report import Report, Row, worst_first
from webhook.findings import Finding, Level

COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}

_INDENT = " " * 17
_MARGIN = " " * 10  # of an excerpt, whose line's number ends where others begin
_NARROWEST = 20


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write the findings and a summary; the rows are only waited for."""
    deque(rows, maxlen=0)
    for finding in worst_first(report.findings):
        for line in (*_finding(finding, report, output), ""):
            output.write(f"{line}\n")
    output.write(f"{summary(report)}\n")


def _finding(finding: Finding, report: Report, output: Output) -> Iterator[str]:
    paint, place = output.paint, visible(str(finding.location))
    name = visible(str(finding.object or ""))
    head = f"{paint(f'{finding.level:<8}', COLOURS[finding.level])} {finding.rule:<7} "
    head += paint(name, "bold")
    if output.width is None or len(_INDENT) + len(name) + len(place) + 2 <= output.width:
        yield f"{head}  {place}".rstrip()
    else:
        yield from (head, f"{_INDENT}{place}")
    yield from _wrapped(visible(finding.message), output.width)
    room = None if output.width is None else output.width - len(_MARGIN)
    for line in excerpt(finding, report, paint, room):
        yield f"{_MARGIN}{line}"
    if finding.fix:
        yield from _wrapped(f"fix: {visible(finding.fix)}", output.width)


def _wrapped(text: str, width: int | None) -> list[str]:
    """Return lines that fit, indented; words stay whole, so that a name can be copied."""
    if width is None or len(_INDENT) + len(text) <= width:
        return [_INDENT + text]
    return textwrap.wrap(
        text,
        max(width, 2 * len(_INDENT)),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def excerpt(
    finding: Finding, report: Report, paint: Paint, width: int | None = None
) -> Iterator[str]:
    """Yield what a finding speaks of, with a caret below the place, where there is one."""
    found = report.excerpt(finding)
    if found is not None:
        number = f"{found.line or '':>7} | "
        part = found if width is None else found.within(max(width - len(number), _NARROWEST))
        yield f"{number}{part.text}"
        if part.caret is not None:
            yield f"{'| ':>{len(number)}}{' ' * part.caret}{paint('^', COLOURS[finding.level])}"


def summary(report: Report) -> str:
    """Return the last line: how much was looked at, how much was found."""
    found = ", ".join(counted(report.count(level), level) for level in Level)
    looked = f"{counted(report.workloads, 'workload')}, {counted(report.other, 'other object')}"
    accepted = f", {report.accepted} accepted" if report.accepted else ""
    return f"{looked}: {found}{accepted}"


def counted(number: int, noun: str) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
