"""The line of a file that a finding points at, with a caret below; credentials are masked."""

from __future__ import annotations

from dataclasses import dataclass

_WIDTH = 88
_BEFORE = 48  # how much of a long line is shown before the caret


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One line of text, cut to a width, and the column (0-based) of the caret in it."""

    line: int
    text: str
    caret: int


def cut(masked_line: str, line: int, column: int) -> Excerpt:
    """Return the excerpt around a column (1-based) of a line that is masked already."""
    at = min(column - 1, len(masked_line))
    start = max(0, at - _BEFORE) if len(masked_line) > _WIDTH else 0
    part = masked_line[start : start + _WIDTH]
    shown = "".join(char if char.isprintable() else " " for char in part)
    head, tail = ("…" if start else ""), ("…" if start + _WIDTH < len(masked_line) else "")
    return Excerpt(line, head + shown + tail, at - start + len(head))
