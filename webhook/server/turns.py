"""Turns for large bodies: a few in memory at once, and a bounded line, fair to each source."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from typing import Protocol

AT_ONCE = 2
"""Bodies over connection.LARGE in a worker's memory, of up to exchange.BODY_MAX each."""
WAITING = 64
WAITING_OF_SOURCE = 16
"""Of a source that has brought a valid review; another one has one place."""
RECEIVE_SECONDS = 1.0
"""How long a body may take to come, where others wait: a turn is not for who sends slowly."""


class Taker(Protocol):
    """Who has a large body."""

    source: str
    is_proven: bool

    def begin_turn(self) -> None:
        """Go on: the turn has come."""

    def lose_turn(self) -> None:
        """Go on without: the body took too long to come."""


class Turns:
    """Gives a turn at once, in line, or not at all; sources in the line are served in rotation."""

    def __init__(self) -> None:
        self._receiving: dict[Taker, float] = {}  # until when, of those with a turn
        self._taken = 0
        self._line: OrderedDict[str, deque[Taker]] = OrderedDict()

    def take(self, taker: Taker) -> bool:
        """Take a turn, if one is free."""
        if self._taken == AT_ONCE:
            return False
        self._taken += 1
        self._receiving[taker] = time.monotonic() + RECEIVE_SECONDS
        return True

    def wait(self, taker: Taker) -> bool:
        """Stand in line until `begin_turn` is called. False where it is full."""
        own = self._line.get(taker.source, ())
        if len(own) >= (WAITING_OF_SOURCE if taker.is_proven else 1):
            return False
        if sum(map(len, self._line.values())) >= WAITING:
            return False
        self._line.setdefault(taker.source, deque()).append(taker)
        return True

    def leave(self, taker: Taker) -> None:
        """Leave the line."""
        own = self._line.get(taker.source)
        if own and taker in own:
            own.remove(taker)
            if not own:
                del self._line[taker.source]

    def received(self, taker: Taker) -> None:
        """Note that the body of a turn is whole."""
        self._receiving.pop(taker, None)

    def give_back(self, taker: Taker) -> None:
        """End a turn; whoever is next in line begins."""
        self._receiving.pop(taker, None)
        self._taken -= 1
        if not self._line:
            return
        source, own = self._line.popitem(last=False)
        first = own.popleft()
        if own:
            self._line[source] = own  # behind the others
        if self.take(first):
            first.begin_turn()

    def hurry(self, now: float) -> None:
        """Take the turn from whoever has not sent its body in time, if others wait."""
        late = [taker for taker, until in self._receiving.items() if until < now]
        for taker in late:
            if self._line:
                taker.lose_turn()
