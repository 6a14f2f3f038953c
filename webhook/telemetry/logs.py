"""JSON log lines on standard output: one a decision, one an event of the server.

A line is one write of at most LINE_MAX bytes, so lines of two workers never mix, and one that finds
no room is dropped and counted: nobody waits for a reader. orjson escapes control characters, so a
name cannot forge a line.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from webhook.admission.record import Record

LINE_MAX = 4096  # what a pipe takes whole or not at all (PIPE_BUF, pipe(7))
_TEXT_MAX = (512, 128, 32)
_ITEMS_MAX = 8


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


def _is_dropped() -> None:
    """Do nothing of it, as long as nobody counts."""


_dropped: Callable[[], None] = _is_dropped


def never_wait(dropped: Callable[[], None]) -> None:
    """Write from now on without waiting for a reader; once, before any worker is made.

    `dropped` is called for each line that finds no room.

    The output is opened again where it may be, as its flags are shared with whoever else has it.
    """
    global _dropped  # noqa: PLW0603  # there is one standard output
    _dropped = dropped
    output = sys.stdout.fileno()
    kind = os.fstat(output).st_mode
    if stat.S_ISREG(kind):
        return
    try:
        again = os.open(f"/proc/self/fd/{output}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:  # a socket, a pipe of another user's, or no Linux
        with contextlib.suppress(OSError):
            os.set_blocking(output, False)
        return
    os.dup2(again, output)
    os.close(again)


def _write(line: dict[str, object]) -> None:
    data = _line(line)
    for most in _TEXT_MAX:
        if len(data) <= LINE_MAX:
            break
        data = _line({name: _shortened(value, most) for name, value in line.items()})
    try:
        os.write(sys.stdout.fileno(), data)
    except OSError:
        _dropped()  # nobody reads it: no reason to fail an admission


def _line(line: dict[str, object]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def _shortened(value: object, most: int) -> object:
    """Return as much of a text, or of a list of them, as is enough to recognize it by."""
    if isinstance(value, str):
        return value if len(value) <= most else value[:most] + "..."
    if isinstance(value, list):
        more = [f"and {len(value) - _ITEMS_MAX} more"] if len(value) > _ITEMS_MAX else []
        return [_shortened(item, most) for item in value[:_ITEMS_MAX]] + more
    return value
