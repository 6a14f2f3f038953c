"""A flag that every worker sees, whoever raised it; made before the fork."""

from __future__ import annotations

import mmap


class Flag:
    """Down at first, and once up it stays up."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    @property
    def is_up(self) -> bool:
        """Tell whether anybody raised it."""
        return self._byte[0] == 1

    def hoist(self) -> None:
        """Raise it."""
        self._byte[0] = 1
