"""Where a report goes, and what a renderer may not find out by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`write` takes text, piece by piece; `paint(text, colour)` colours it, or does not."""

    write: Callable[[str], object]
    paint: Paint
