"""gunicorn's threaded worker, except for how a connection begins and ends.

gthread spends a thread on a connection from its first byte on, and its main thread on waiting for
clients to close. Here a thread serves only who has something to read, and bears its own waiting.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from webhook.server.tls import HANDSHAKE_SECONDS, forget_errors

CONNECTIONS = 500
"""Of one worker. An API server keeps up to 25 open for each hook; file descriptors end at 1024."""


_HELD = {signal.SIGTERM}


def keep_sigterm_over_forks() -> None:
    """Let a SIGTERM that reaches a worker before its handlers stand wait until they do.

    Else it ends in the master's handler, which the worker has from the fork, and is lost: the
    master waits for that worker through all of its graceful time-out.
    """
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _HELD),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD),
    )


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Keeps connections that are quiet without a thread, up to CONNECTIONS of them."""

    def init_signals(self) -> None:
        """Set the handlers, then take what came before them."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)

    def accept(self, listener: Any) -> None:
        """Take a new connection; where there are too many, in place of the oldest quiet one."""
        quiet = max(self.pending_conns, self.keepalived_conns, key=len)
        if self.nr_conns >= CONNECTIONS and quiet:
            quiet[0].timeout = 0
            self.murder_pending()
            self.murder_keepalived()
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """Give a thread to a connection, once there is something to read on it."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)  # noqa: FBT003  # socket's signature
        conn.timeout = time.monotonic() + HANDSHAKE_SECONDS
        self.pending_conns.append(conn)
        ready = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, ready)

    def handle(self, conn: Any) -> bool:
        """Shake hands or serve one request; False when the connection ends with it.

        A Go client dials a connection more than it needs when it is in a hurry, and keeps it for
        later. So after its handshake a connection may be quiet as long as after a request.
        """
        forget_errors()
        kept = bool(super().handle(conn)) if conn.initialized else _handshake(conn)
        if not kept:
            util.close_graceful(conn.sock)
        return kept

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Account for what `handle` did, in the main thread.

        A closed socket makes gthread take the connection off `nr_conns` twice: below zero, a
        worker that stops waits for nobody.
        """
        if conn.sock.fileno() < 0:
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)


def _handshake(conn: Any) -> bool:
    """Tell whether the client speaks TLS, within its deadline."""
    try:
        conn.init()
    except OSError:
        return False
    return True
