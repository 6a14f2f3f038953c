"""The ceiling: a constant answer on gunicorn's own ASGI worker with uvloop, two of them.

What the loop, its parser and TLS leave to any webhook in Python on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from tests.bench.floor import PATCH

ANSWER = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","allowed":true,'
    b'"patchType":"JSONPatch","patch":"' + PATCH.encode() + b'"}}'
)
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(ANSWER)).encode()),
    ],
}

Message = dict[str, Any]


async def application(
    _scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Read a call to its end, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send({"type": "http.response.body", "body": ANSWER})


class Bare(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The application under gunicorn."""

    def load_config(self) -> None:
        """Take the settings."""
        for name, value in {
            "bind": ["127.0.0.1:0"],
            "certfile": sys.argv[1],
            "keyfile": sys.argv[2],
            "worker_class": "asgi",
            "asgi_loop": "uvloop",
            "asgi_lifespan": "off",
            "workers": 2,
            "keepalive": 120,
            "control_socket_disable": True,
            "accesslog": None,
            "loglevel": "error",
            "when_ready": _ready,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application."""
        return application


def _ready(arbiter: Any) -> None:
    print(arbiter.LISTENERS[0].sock.getsockname()[1], flush=True)


if __name__ == "__main__":
    Bare().run()
