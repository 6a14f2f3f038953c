"""What a long run shows on a terminal while it lasts, and how it is stopped halfway."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Self, TypeVar

import click

T = TypeVar("T")

_QUIET_SECONDS = 0.5  # what is over sooner needs no line
_EVERY_SECONDS = 0.1
_CLEAR = "\r\033[K"


class Progress:
    """One line on standard error, where a person looks on: what, how much of it, how long still."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._started = time.monotonic()
        self._next = self._started + _QUIET_SECONDS
        self._drawn = False

    def update(self, what: str, share: float = 0) -> None:
        """Draw the line anew, if the last one has stood for a while; `share` of 1 is all."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        left = (now - self._started) * (1 - share) / share if share else 0
        text = f"{what}, {share:.0%}, {_duration(left)} left" if share else what
        sys.stderr.write(f"{_CLEAR}{text}")
        sys.stderr.flush()
        self._drawn = True

    def restart(self) -> None:
        """Reckon the time that is left from now on."""
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Write a line that stays, above the one that moves."""
        self.clear()
        click.echo(text, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._drawn = False


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Interruptible(Iterable[T]):
    """What an iterator yields until somebody presses Ctrl-C; then it ends as if it were at its end.

    So what was found up to there can still be shown, inside of the same `with`. The second Ctrl-C
    ends the program, and so does the first one after the end.
    """

    def __init__(self, source: Iterator[T]) -> None:
        self.stopped = False
        self._source = source
        self._waiting = False
        self._ended = False

    def __enter__(self) -> Self:
        """Listen from now on."""
        self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the signal to others."""
        signal.signal(signal.SIGINT, self._before)

    def __iter__(self) -> Iterator[T]:
        """Yield."""
        while not self.stopped:
            self._waiting = True
            try:
                item = next(self._source)
            except (KeyboardInterrupt, StopIteration):
                break
            finally:
                self._waiting = False
            yield item
        self._ended = True

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.stopped or self._ended:
            raise KeyboardInterrupt
        self.stopped = True
        if self._waiting:
            raise KeyboardInterrupt
