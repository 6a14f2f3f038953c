"""JSON log lines on standard output: one a decision, one an event of the server.

A line is one write, so lines of two workers never mix. orjson escapes control characters, so a
name cannot forge a line.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import orjson

from webhook.admission.record import Record


def decision(record: Record, milliseconds: float) -> None:
    """Write the line of one decision."""
    where = f"{record.namespace or ''}/{record.name}"
    line = {
        "time": datetime.now(UTC),
        "event": "decision",
        "hook": record.hook,
        "uid": record.uid,
        "operation": record.operation,
        "kind": record.kind,
        "object": where,
        "rule": record.rule,
        "verdict": record.verdict,
        "ms": round(milliseconds, 3),
    }
    if record.dry_run:
        line["dryRun"] = True
    _write(line)


def event(name: str, **fields: str | float | list[str]) -> None:
    """Write the line of something that happened to the server."""
    _write({"time": datetime.now(UTC), "event": name, **fields})


def _write(line: dict[str, object]) -> None:
    data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
    try:
        os.write(sys.stdout.fileno(), data)
    except OSError:
        return  # nobody reads the log any more: no reason to fail an admission
