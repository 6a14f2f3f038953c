"""How the server stops without a failed call: it serves on for a while, and says goodbye.

A caller keeps its connections open and writes its next call on one of them; the API server never
repeats a call whose connection closed under it. So SIGTERM first begins a drain: every answer
says `Connection: close`, each connection ends after an answer, and its caller opens the next one
elsewhere. New connections are still taken, as a Service takes a moment to forget a server.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from webhook.server.flag import Flag
from webhook.telemetry import logs


class Drain:
    """Begun by SIGTERM in gunicorn's master, seen by every worker.

    Made before the fork. After `seconds`, or with a second SIGTERM, the server stops.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._flag = Flag()

    @property
    def begun(self) -> bool:
        """Tell whether this server is about to stop; asked with each request."""
        return self._flag.is_up

    def on_sigterm(self, stop: Callable[[], None]) -> None:
        """From now on SIGTERM drains first; `stop` must be safe to call in a signal handler."""

        def terminated(*_: object) -> None:
            if self.begun or not self._seconds:
                stop()
                return
            self._flag.hoist()
            logs.event("draining", seconds=self._seconds)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

        signal.signal(signal.SIGALRM, lambda *_: stop())
        signal.signal(signal.SIGTERM, terminated)
