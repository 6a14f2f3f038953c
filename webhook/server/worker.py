"""gunicorn's worker: one event loop, the door, and an end that breaks no call.

Relied upon of gunicorn (tests/server/test_worker.py names each): `workers.base.Worker` with
`init_process`, `init_signals`, `run`, `notify`, `SIGNALS`, `alive`, `age`, `app`, `sockets`, `ppid`
and `cfg`, and `workers.workertmp.WorkerTmp`, the heartbeat that its master looks at.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from gunicorn.workers import base
from gunicorn.workers.workertmp import WorkerTmp

from webhook.server import hooks
from webhook.server.door import Door
from webhook.server.kept import in_memory
from webhook.server.loads import Loads
from webhook.server.service import Service

_BEAT_SECONDS = 1.0
_LOOK_SECONDS = 0.05
QUIET_SECONDS = 2.0
"""How long a worker that stops waits for the next call on a connection it has promised to keep."""
_HELD = {signal.SIGTERM}


def keep_sigterm_over_forks() -> None:
    """Let a SIGTERM that reaches a worker before its loop runs wait until it does.

    Else it ends in the master's handler, which the worker has from the fork, and is lost: the
    master waits for that worker through all of its graceful time-out.
    """
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _HELD),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD),
    )


class Heartbeat(WorkerTmp):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's, in memory that no full or read-only disk takes away."""

    def __init__(self, _cfg: object) -> None:
        self._tmp = os.fdopen(in_memory(), "w+b", 0)


base.WorkerTmp = Heartbeat


class Worker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves what its application's `serving` returns, through one door."""

    loads = Loads()  # made before the fork, as this module is loaded

    def init_process(self) -> None:
        """Make the loop, then what gunicorn makes of a process."""
        self._is_quick = False
        self.loop = _loop()
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(_tell)
        super().init_process()

    def init_signals(self) -> None:
        """Set the handlers; SIGTERM waits until the loop runs."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.loop.add_signal_handler(signal.SIGTERM, self._stop)
        for number in (signal.SIGINT, signal.SIGQUIT):
            self.loop.add_signal_handler(number, self._stop_at_once)

    def run(self) -> None:
        """Serve until told to stop; then answer what is under way."""
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            self.loop.close()

    def _stop(self) -> None:
        self.alive = False

    def _stop_at_once(self) -> None:
        self.alive, self._is_quick = False, True

    async def _serve(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        served = self.app.serving(self)
        service = Service(self.loop, served.guard, lambda: not self.alive or served.is_draining())
        (listener,) = self.sockets
        door = Door(service, listener.sock, served.pair, self.loads, self.age)
        door.open()
        beat = 0.0
        while self.alive and self.ppid == os.getppid():
            if self.loop.time() >= beat:
                self.notify()
                beat = self.loop.time() + _BEAT_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        self.alive = False
        door.close()
        await self._end(door)

    async def _end(self, door: Door) -> None:
        """Let connections end with an answer: those that are quiet soon, the others in time."""
        start = self.loop.time()
        while len(door) and not self._is_quick:
            waited = self.loop.time() - start
            if waited > self.cfg.graceful_timeout:
                break
            if waited > QUIET_SECONDS:
                door.cut(lambda connection: connection.is_quiet)
            self.notify()
            await asyncio.sleep(_LOOK_SECONDS)
        door.cut(lambda _: True)
        await asyncio.sleep(0)


def _loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's loop, asyncio's own where there is none."""
    try:
        import uvloop  # noqa: PLC0415  # it has wheels for some machines only
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell of a fault in a callback; of clients that went away, nothing."""
    error = context.get("exception")
    if error is not None and not isinstance(error, OSError):
        hooks.failed(error)
