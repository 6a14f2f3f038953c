"""How a cost grows: a ratio within one run, of this process' own time, whoever else is busy."""

from __future__ import annotations

import time
from collections.abc import Callable

_NOISE = 500_000
"""Nanoseconds: so little may be any, from where memory is new each time; a square is far above."""


def growth(work: Callable[[int], object], small: int, times: int = 8) -> float:
    """Return how many times as long the work takes at `times` the size: the least of several."""
    work(small)
    return _least(work, small * times) / _least(work, small)


def _least(work: Callable[[int], object], size: int) -> float:
    spent = []
    for _ in range(5):
        start = time.process_time_ns()
        work(size)
        spent.append(time.process_time_ns() - start)
    return max(min(spent), _NOISE)
