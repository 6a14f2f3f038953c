"""Turns for large bodies: a few in memory at once, and a bounded line, fair to each source."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

AT_ONCE = 2
"""Bodies over connection.LARGE in a worker's memory, of up to exchange.BODY_MAX each."""
WAITING = 64
WAITING_OF_SOURCE = 16
"""Of a source that has brought a valid review; another one has one place."""


class Turns:
    """Gives a turn at once, in line, or not at all; sources in the line are served in rotation."""

    def __init__(self) -> None:
        self._free = AT_ONCE
        self._line: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()

    def take(self) -> bool:
        """Take a turn, if one is free."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def wait(self, source: str, begin: Callable[[], None], *, is_proven: bool) -> bool:
        """Stand in line; `begin` is called when the turn has come. False where it is full."""
        own = self._line.get(source, ())
        if len(own) >= (WAITING_OF_SOURCE if is_proven else 1):
            return False
        if sum(map(len, self._line.values())) >= WAITING:
            return False
        self._line.setdefault(source, deque()).append(begin)
        return True

    def leave(self, source: str, begin: Callable[[], None]) -> None:
        """Leave the line."""
        own = self._line.get(source)
        if own and begin in own:
            own.remove(begin)
            if not own:
                del self._line[source]

    def give_back(self) -> None:
        """End a turn; whoever is next in line begins."""
        if not self._line:
            self._free += 1
            return
        source, own = self._line.popitem(last=False)
        begin = own.popleft()
        if own:
            self._line[source] = own  # behind the others
        begin()
