"""Every way to show an audit, one module each: adding one touches this folder alone.

A module offers `render(rows, report, output)`. `rows` is read once, and first: while it is read the
report fills, and when it ends the report is whole. So a hundred thousand workloads pass through
`table` and `json` without being kept; a format that needs them all keeps them itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from webhook.audit.formats import document, junit, page, policyreport, sarif, table
from webhook.audit.formats.output import Output
from webhook.audit.report import Report, Row


class Format(Protocol):
    """What a module of this folder offers."""

    def render(self, rows: Iterable[Row], report: Report, output: Output, /) -> None:
        """Write the report; `rows` is read before `report`."""


FORMATS: dict[str, Format] = {
    "table": table,
    "json": document,
    "sarif": sarif,
    "junit": junit,
    "html": page,
    "policyreport": policyreport,
}
