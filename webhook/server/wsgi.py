"""gunicorn around the application: settings, hooks, and what each worker starts after its fork."""

from __future__ import annotations

import gc
import logging
import signal
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from webhook.server.app import create_app
from webhook.server.drain import Drain
from webhook.server.hooks import Guard
from webhook.server.reload import PolicyWatch
from webhook.server.tls import Certificates
from webhook.server.worker import Worker, keep_sigterm_over_forks
from webhook.telemetry import logs

# The API server drops idle connections after 90 s; whoever closes second never breaks a call
# (docs/serving.md).
KEEP_ALIVE_SECONDS = 120
GRACEFUL_SECONDS = 20
COLLECT_AFTER = 20_000


def settings(
    *, address: str, certificate: Path, key: Path, workers: int, threads: int
) -> dict[str, Any]:
    """Return gunicorn's settings, the same for the product and for what it is measured against."""
    return {
        "bind": [address],
        "certfile": str(certificate),
        "keyfile": str(key),
        "worker_class": Worker,
        "workers": workers,
        "threads": threads,
        "keepalive": KEEP_ALIVE_SECONDS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "timeout": 30,
        "control_socket_disable": True,
        "forwarded_allow_ips": "",
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir(),  # noqa: S108  # heartbeats belong in memory
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "error",
        "preload_app": False,
    }


class Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The webhook under gunicorn; reads neither command line nor GUNICORN_CMD_ARGS."""

    def __init__(
        self,
        options: dict[str, Any],
        watch: PolicyWatch,
        certificates: Certificates,
        drain: Drain,
        *,
        wants_client_certificate: bool,
    ) -> None:
        self._options = options
        self._watch = watch
        self._certificates = certificates
        self._drain = drain
        self._wants_client_certificate = wants_client_certificate
        self._worker: Any = None
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings and hooks."""
        hooks: dict[str, Callable[..., Any]] = {
            "ssl_context": self._context,
            "when_ready": self._ready,
            "post_fork": self._forked,
            "pre_request": self._requested,
            "child_exit": _exited,
        }
        for name, value in {**self._options, **hooks}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application, once in each worker."""
        self._watch.start()
        self._certificates.announce()
        logging.getLogger("gunicorn.error").addFilter(_is_news)
        app = create_app(
            Guard(
                policy=self._watch.current,
                not_ready=self._not_ready,
                wants_client_certificate=self._wants_client_certificate,
            )
        )
        # A review makes hundreds of dicts and no cycle: collecting after each 700 of them, over
        # all that was imported, costs a tenth of the rate.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        return app

    def _context(self, _conf: Any, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        return self._certificates.current().context

    def _ready(self, arbiter: Any) -> None:
        self._drain.on_sigterm(lambda: arbiter.signal(signal.SIGTERM, None))
        keep_sigterm_over_forks()
        _listening(arbiter)

    def _forked(self, _arbiter: Any, worker: Any) -> None:
        self._worker = worker

    def _requested(self, _worker: Any, request: Any) -> None:
        if self._drain.begun:
            request.force_close()  # the one way: gunicorn drops a Connection header of ours

    def _not_ready(self) -> str | None:
        if self._drain.begun or (self._worker is not None and not self._worker.alive):
            return "draining"
        return self._certificates.invalid_reason()


def _listening(arbiter: Any) -> None:
    """Tell the address, which matters where the port was left to the system."""
    for listener in arbiter.LISTENERS:
        host, port = listener.sock.getsockname()[:2]
        logs.event("listening", address=f"{host}:{port}")


def _exited(_arbiter: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the tracebacks of clients that went away: a flood of them fills disks."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (OSError, ValueError))
