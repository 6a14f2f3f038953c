"""gunicorn's threaded worker, except for how a connection ends."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Waits for a client to close in that client's thread, and counts each connection once.

    gthread waits in its main thread, 2 s a connection (`finish_request`): a few clients that never
    close keep it from accepting any other. And a socket that is closed already, as behind a
    deadline, it takes off `nr_conns` twice: below zero, a worker that stops waits for nobody.
    """

    def handle(self, conn: Any) -> Any:
        """Serve one request; False when the connection ends with it."""
        kept = super().handle(conn)
        if kept is False:
            util.close_graceful(conn.sock)
        return kept

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Account for what `handle` did, in the main thread."""
        if conn.sock.fileno() < 0:
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)
