"""How many connections each worker holds, in memory they share: the next one goes to the idlest.

Without it connections land where a worker happens to be awake: of eight that an API server opens
at once, seven times in eight all went to one of two workers (measured).
"""

from __future__ import annotations

import mmap

_SLOTS = 64  # two workers, and as many again while a reload replaces them
_CELL = 16  # two doubles: connections, and when that was told
STALE_SECONDS = 1.0
"""A worker that has told nothing for so long is ended or held up, and counts for nothing."""


class Loads:
    """Made before the fork; `slot` is any number that tells a worker from its siblings."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, _SLOTS * _CELL)).cast("d")

    def tell(self, slot: int, connections: int, now: float) -> None:
        """Say how many connections a worker holds at `now`, in seconds of the monotonic clock."""
        cell = slot % _SLOTS * 2
        self._cells[cell], self._cells[cell + 1] = connections, now

    def leave(self, slot: int) -> None:
        """Say that a worker takes no more connections."""
        self.tell(slot, 0, 0.0)

    def has_idler(self, slot: int, now: float) -> bool:
        """Tell whether a sibling that is alive holds fewer."""
        cells, own = self._cells, slot % _SLOTS * 2
        mine, since = cells[own], now - STALE_SECONDS
        return any(
            cells[cell] < mine and cells[cell + 1] > since
            for cell in range(0, _SLOTS * 2, 2)
            if cell != own
        )
