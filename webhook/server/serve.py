"""Run the webhook until it is told to stop."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webhook.policy.model import Policy

WORKERS = 2
THREADS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where to listen, with which certificate, under which policy.

    `load_policy` raises ValueError with everything that is wrong. Port 0 lets the system choose;
    the `listening` line of the log tells which.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    load_policy: Callable[[], Policy]
    policy_path: Path | None = None
    client_ca: Path | None = None
    drain_seconds: float = 0


def run(options: ServeOptions) -> None:
    """Serve; returns or exits when told to stop.

    Raises CertificateError or the policy's ValueError before anything listens, then ListenError: a
    server that cannot decide must not start.
    """
    folder = tempfile.mkdtemp(prefix="hybrid-guard-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # read when prometheus_client is imported
    from webhook.server import memory, wsgi  # noqa: PLC0415
    from webhook.server.drain import Drain  # noqa: PLC0415
    from webhook.server.listen import listening  # noqa: PLC0415
    from webhook.server.reload import PolicyWatch  # noqa: PLC0415
    from webhook.server.tls import Certificates  # noqa: PLC0415

    master = os.getpid()
    memory.give_back()
    try:
        watch = PolicyWatch(options.load_policy, options.policy_path)
        certificates = Certificates(options.certificate, options.key, options.client_ca)
        listener = listening(options.host, options.port).detach()  # gunicorn's from here on
        settings = wsgi.settings(
            address=f"fd://{listener}",
            certificate=options.certificate,
            key=options.key,
            workers=WORKERS,
            threads=THREADS,
        )
        wsgi.Application(
            settings,
            watch,
            certificates,
            Drain(options.drain_seconds),
            wants_client_certificate=options.client_ca is not None,
        ).run()
    finally:
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)
