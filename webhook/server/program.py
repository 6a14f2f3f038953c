"""gunicorn around the server: settings, hooks, and what each worker starts after its fork."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from webhook.server import hooks
from webhook.server.drain import Drain
from webhook.server.flag import Flag
from webhook.server.hooks import ClientAuth, Guard
from webhook.server.reload import PolicyWatch, watch
from webhook.server.tls import Certificates, Pair
from webhook.server.worker import Worker, keep_sigterm_over_forks
from webhook.telemetry import logs, metrics

WORKERS = 2
GRACEFUL_SECONDS = 20
COLLECT_AFTER = 20_000


class Log(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn has to say, in lines like all others: on standard output, and never waited for.

    Of a worker that died it says so when it reaps it; that it hung is told by the signal then.
    """

    def setup(self, cfg: object) -> None:
        """Take the place of the library's handlers."""
        self.cfg = cfg

    def error(self, message: str, *arguments: object, **_: object) -> None:
        """Tell of a worker that died, or of what ends the server."""
        text = message % arguments if arguments else message
        if message.startswith("Worker (pid:"):
            metrics.worker_died()
            logs.event("worker-died", problem=text)
        elif not message.startswith("WORKER TIMEOUT"):
            logs.event("server", problem=text)

    critical = warning = error

    def exception(self, _message: str, *_arguments: object, **_: object) -> None:
        """Tell of a fault of ours."""
        error = sys.exc_info()[1]
        if error is not None:
            hooks.failed(error)

    def info(self, message: str, *arguments: object, **_: object) -> None:
        """Say nothing of what goes well."""

    debug = log = access = info


@dataclass(frozen=True, slots=True)
class Served:
    """What a worker serves: decisions, the pair of each new connection, and until when."""

    guard: Guard
    pair: Callable[[], Pair]
    is_draining: Callable[[], bool]


class Program(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The webhook under gunicorn; reads neither command line nor GUNICORN_CMD_ARGS."""

    def __init__(
        self,
        listener: int,
        watched: PolicyWatch,
        certificates: Certificates,
        drain: Drain,
        client_auth: ClientAuth,
    ) -> None:
        self._listener = listener
        self._watched = watched
        self._certificates = certificates
        self._drain = drain
        self._client_auth = client_auth
        self._certificate_seen = Flag()
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings and hooks."""
        settings: dict[str, Any] = {
            "bind": [f"fd://{self._listener}"],
            "worker_class": Worker,
            "workers": WORKERS,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 30,
            "control_socket_disable": True,
            "logger_class": Log,
            "preload_app": False,
            "when_ready": self._ready,
            "child_exit": _exited,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> None:
        """Do nothing: a worker asks for `serving` when its loop runs."""

    def serving(self, worker: Worker) -> Served:
        """Return what a worker serves, which is what its siblings serve; once, after the fork."""
        if not metrics.begin():
            logs.event("metrics-off", reason="no room for them in memory or on disk")
        self._watched.restore()
        self._certificates.restore()
        watch(self._watched.refresh, self._certificates.refresh)
        # A review makes hundreds of dicts and no cycle: collecting after each 700 of them, over
        # all that was imported, costs a tenth of the rate.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        guard = Guard(
            policy=self._watched.current,
            not_ready=lambda: self._not_ready(worker),
            client_auth=self._client_auth,
            certificate_seen=self._certificate_seen,
        )
        return Served(guard, self._certificates.current, lambda: self._drain.begun)

    def _ready(self, arbiter: Any) -> None:
        self._drain.on_sigterm(lambda: arbiter.signal(signal.SIGTERM, None))
        keep_sigterm_over_forks()
        for listener in arbiter.LISTENERS:
            host, port = listener.sock.getsockname()[:2]
            logs.event("listening", address=f"{host}:{port}")

    def _not_ready(self, worker: Worker) -> str | None:
        if self._drain.begun or not worker.alive:
            return "draining"
        return self._certificates.invalid_reason()


def _exited(_arbiter: object, worker: Any) -> None:
    metrics.forget(worker.pid)
