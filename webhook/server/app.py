"""The application: the hooks in front, Flask behind them for probes and all other paths."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from webhook.server import hooks
from webhook.server.hooks import JSON, CallError, Guard, Hooks
from webhook.telemetry import metrics


def create_app(guard: Guard) -> Flask:
    """Return the application; nothing happens at import."""
    app = Flask("hybrid-guard", static_folder=None)
    version = importlib.metadata.version("hybrid-guard")
    _get(app, "/livez", lambda: _json(200, {"status": "alive"}))
    _get(app, "/readyz", lambda: _ready(guard))
    _get(app, "/version", lambda: _json(200, {"version": version}))
    _get(app, "/metrics", _metrics)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)
    app.wsgi_app = Hooks(guard, app.wsgi_app)  # type: ignore[method-assign]  # Flask's own seam
    return app


def _get(app: Flask, path: str, view: Callable[[], Response]) -> None:
    app.add_url_rule(path, path, view, methods=["GET"], provide_automatic_options=False)


def _ready(guard: Guard) -> Response:
    reason = guard.not_ready()
    if reason is None:
        return _json(200, {"status": "ready"})
    return _json(503, {"status": "not ready", "reason": reason})


def _metrics() -> Response:
    text, content_type = metrics.render()
    return Response(text, content_type=content_type)


def _json(status: int, body: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype=JSON)


def _http_error(error: HTTPException) -> Response:
    """Answer a path or method nobody serves."""
    status = error.code or 500
    metrics.refused_call(status)
    body = hooks.refusal(CallError(status, error.name.lower()))
    return Response(body, status=status, mimetype=JSON)


def _failed(error: Exception) -> Response:
    hooks.failed(error)
    return Response(hooks.refusal(CallError(500, "internal error")), status=500, mimetype=JSON)
