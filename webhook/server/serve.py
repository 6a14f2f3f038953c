"""Run the webhook until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webhook.policy.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where to listen, with which certificate, under which policy.

    `load_policy` takes what the policy's file holds and raises ValueError with everything that is
    wrong. Port 0 lets the system choose; the `listening` line of the log tells which.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    load_policy: Callable[[bytes], Policy]
    policy_path: Path | None = None
    client_ca: Path | None = None
    client_auth: str = "required"
    drain_seconds: float = 0


def run(options: ServeOptions) -> None:
    """Serve; returns or exits when told to stop.

    Raises CertificateError or the policy's ValueError before anything listens, then ListenError: a
    server that cannot decide must not start.
    """
    folder = _metrics_folder()  # named before prometheus_client is imported, which reads the name
    from webhook.server import hooks, memory, program  # noqa: PLC0415
    from webhook.server.drain import Drain  # noqa: PLC0415
    from webhook.server.listen import listening  # noqa: PLC0415
    from webhook.server.reload import PolicyWatch  # noqa: PLC0415
    from webhook.server.tls import Certificates  # noqa: PLC0415
    from webhook.telemetry import logs, metrics  # noqa: PLC0415

    master = os.getpid()
    memory.give_back()
    _allow_files()
    try:
        watched = PolicyWatch(options.load_policy, options.policy_path)
        certificates = Certificates(options.certificate, options.key, options.client_ca)
        listener = listening(options.host, options.port).detach()  # gunicorn's from here on
        logs.never_wait(metrics.line_dropped)
        program.Program(
            listener,
            watched,
            certificates,
            Drain(options.drain_seconds),
            hooks.ClientAuth(options.client_auth if options.client_ca else "off"),
        ).run()
    finally:
        if folder and os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)


def _metrics_folder() -> str | None:
    """Make the folder in which workers count, in memory where there is such a place."""
    for parent in ("/dev/shm", tempfile.gettempdir()):  # noqa: S108  # a folder of our own in it
        try:
            folder = tempfile.mkdtemp(prefix="hybrid-guard-metrics-", dir=parent)
        except OSError:
            continue
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        return folder
    return None


def _allow_files() -> None:
    """Allow as many files as this process may have: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
