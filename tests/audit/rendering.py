"""Reports for tests: what an audit of files, or of a text, holds, and how a format shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from webhook.audit import inspect
from webhook.audit.formats import FORMATS
from webhook.audit.formats.output import Output
from webhook.audit.report import Report, Row
from webhook.files import manifests
from webhook.policy import parse
from webhook.policy.words import Network

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SECONDS = 1772368200  # date -ud 2026-03-01T12:30:00Z +%s


def audited(*files: str, text: str | None = None) -> tuple[list[Row], Report]:
    """The rows and the report of files, or of one text, in the bgp network."""
    report, by, rows = Report(), parse.for_network(Network.BGP), []
    texts = {"f.yaml": text} if text is not None else {f: manifests.read_text(f) for f in files}
    for file, content in texts.items():
        for manifest in manifests.parse(content, file):
            row = inspect.inspect(
                manifest.object, by, report, source=manifest, namespace_placements={}
            )
            rows += [row] if row else []
    return rows, report


def rendered(form: str, rows: Iterable[Row], report: Report, **given: Any) -> str:
    """What a format writes of a report."""
    told: list[str] = []
    FORMATS[form].render(rows, report, output(told, **given))
    return "".join(told)


def output(told: list[str], **given: Any) -> Output:
    """An output that keeps what it is told."""
    plain = Output(
        write=told.append,
        paint=lambda words, _colour: words,
        width=None,
        now=NOW,
        folder=PurePosixPath("/work"),
        version="1.2.3",
        report_api="wgpolicyk8s",
    )
    return replace(plain, **given)
