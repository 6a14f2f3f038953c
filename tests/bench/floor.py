"""The floor: a bare Flask application that parses with orjson and answers with a fixed patch.

gunicorn's own threaded worker, two of them with 32 threads, as many webhooks are served. Left alone
by later work, so that figures compare.
"""

from __future__ import annotations

import base64
import ssl
import sys
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

PATCH = base64.b64encode(
    b'[{"op":"add","path":"/spec/template/spec/affinity","value":{"nodeAffinity":'
    b'{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":'
    b'[{"key":"alibabacloud.com/external","operator":"NotIn","values":["true"]}]}]}}}}]'
).decode()


def create_app() -> Flask:
    """Return the application: one route."""
    app = Flask("floor", static_folder=None)

    @app.post("/mutate")
    def mutate() -> Response:
        review = orjson.loads(request.get_data(cache=False))
        response = {
            "uid": review["request"]["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": PATCH,
        }
        body = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        }
        return Response(orjson.dumps(body), mimetype="application/json")

    return app


class Floor(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The application under gunicorn."""

    def __init__(self, options: dict[str, Any], context: ssl.SSLContext) -> None:
        self._options = options
        self._context = context
        super().__init__()

    def load_config(self) -> None:
        """Take the settings and one cached TLS context."""
        hooks = {"ssl_context": self._cached, "when_ready": _ready}
        for name, value in {**self._options, **hooks}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application."""
        return create_app()

    def _cached(self, _conf: Any, _default: Any) -> ssl.SSLContext:
        return self._context


def _ready(arbiter: Any) -> None:
    print(arbiter.LISTENERS[0].sock.getsockname()[1], flush=True)


if __name__ == "__main__":
    CERTIFICATE, KEY = Path(sys.argv[1]), Path(sys.argv[2])
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CONTEXT.load_cert_chain(CERTIFICATE, KEY)
    Floor(
        {
            "bind": ["127.0.0.1:0"],
            "certfile": str(CERTIFICATE),
            "keyfile": str(KEY),
            "worker_class": "gthread",
            "workers": 2,
            "threads": 32,
            "keepalive": 120,
            "control_socket_disable": True,
            "accesslog": None,
            "loglevel": "error",
        },
        CONTEXT,
    ).run()
