"""Standard output, as the renderers of reports take it."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from webhook.audit.formats.output import Output
from webhook.audit.formats.policyreport import APIS
from webhook.cli import options
from webhook.settings import terminal


def standard(report_api: str = next(iter(APIS))) -> Output:
    """Return standard output as UTF-8; what cannot be written (a file's odd name) is escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return Output(
        write=sys.stdout.write,
        paint=options.painter(),
        width=terminal().width,
        now=datetime.now(UTC),
        folder=Path.cwd(),
        version=version("hybrid-guard"),
        report_api=report_api,
    )
