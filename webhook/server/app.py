"""Flask, for all that is no hook and no probe; it is asked from a thread beside the loop."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.test import create_environ, run_wsgi_app

from webhook.server import hooks
from webhook.server.answers import JSON, CallError
from webhook.server.hooks import ClientAuth, Guard
from webhook.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of Flask's."""

    status: int
    body: bytes
    media_type: str
    headers: str


def create_app(guard: Guard) -> Flask:
    """Return the application; nothing happens at import."""
    app = Flask("hybrid-guard", static_folder=None)
    app.add_url_rule("/version", "version", lambda: _version(guard))
    app.add_url_rule("/metrics", "metrics", _metrics)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)
    return app


def page(app: Flask, method: str, path: str) -> Page:
    """Return what the application answers; a body of the call is not handed on."""
    environ = create_environ(path, method=method)
    body, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    extra = f"Allow: {headers['Allow']}\r\n" if "Allow" in headers else ""
    return Page(int(status.split()[0]), b"".join(body), headers["Content-Type"], extra)


def _version(guard: Guard) -> Response:
    """Tell the version and, where callers may bring certificates, whether one has."""
    told: dict[str, object] = {"version": importlib.metadata.version("hybrid-guard")}
    if guard.client_auth is not ClientAuth.OFF:
        told["clientCertificate"] = {
            "mode": guard.client_auth, "seen": guard.certificate_seen.is_up
        }  # fmt: skip
    return Response(orjson.dumps(told), mimetype=JSON)


def _metrics() -> Response:
    text, content_type = metrics.render()
    return Response(text, content_type=content_type)


def _http_error(error: HTTPException) -> Response:
    """Answer a path or method nobody serves."""
    return _refused(CallError(error.code or 500, error.name.lower()), dict(error.get_headers()))


def _failed(error: Exception) -> Response:
    hooks.failed(error)
    return _refused(CallError(500, "internal error"), {})


def _refused(error: CallError, headers: dict[str, str]) -> Response:
    metrics.refused_call(error.status)
    allowed = {name: headers[name] for name in ("Allow",) if name in headers}
    return Response(error.body, status=error.status, mimetype=JSON, headers=allowed)
