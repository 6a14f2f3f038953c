"""The Flask application: gates in front of the hooks, probes beside them, JSON for every error."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from webhook.admission import exchange
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.server.tls import has_client_certificate
from webhook.telemetry import logs, metrics

BODY_MAX = 7 * 1024 * 1024  # object and oldObject of 3 MiB each (the API server's limit), and more
LARGE = 256 * 1024
LARGE_AT_ONCE = 2  # parsing 7 MiB takes 160 MiB and holds the interpreter for a second
LARGE_WAIT_SECONDS = 1.0
_MARGIN_SECONDS = 0.5
_DISCARDED_MIB = 16
_JSON = "application/json"


class CallError(Exception):
    """A call that is refused before or without a decision: a status and a few words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the application asks: the policy, and why it is not ready (None when it is)."""

    policy: Callable[[], Policy]
    not_ready: Callable[[], str | None]
    wants_client_certificate: bool = False


def create_app(guard: Guard) -> Flask:
    """Return the application; nothing happens at import."""
    app = Flask("hybrid-guard", static_folder=None)
    large = threading.BoundedSemaphore(LARGE_AT_ONCE)
    for hook in Hook:
        for placement in (None, Placement.ON_PREM, Placement.CLOUD):
            path = f"/{hook}" if placement is None else f"/{hook}/{placement}"
            view = _hook_view(guard, hook, placement, large)
            _route(app, path, "POST", view)
    _route(app, "/livez", "GET", lambda: _json(200, {"status": "alive"}))
    _route(app, "/readyz", "GET", lambda: _ready(guard))
    _route(app, "/version", "GET", _version)
    _route(app, "/metrics", "GET", _metrics)
    app.register_error_handler(CallError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)
    return app


def _route(app: Flask, path: str, method: str, view: Callable[[], Response]) -> None:
    app.add_url_rule(path, path, view, methods=[method], provide_automatic_options=False)


def _hook_view(
    guard: Guard, hook: Hook, placement: Placement | None, large: threading.BoundedSemaphore
) -> Callable[[], Response]:
    def view() -> Response:
        started = time.perf_counter()
        environ = request.environ
        if guard.wants_client_certificate and not has_client_certificate(
            environ.get("gunicorn.socket")
        ):
            raise CallError(401, "a client certificate is required")
        body = _body(environ)
        if len(body) > LARGE:
            _acquire(large)
            try:
                answer, record = exchange.answer(
                    hook, body, guard.policy(), namespace_placement=placement
                )
            finally:
                large.release()
        else:
            answer, record = exchange.answer(
                hook, body, guard.policy(), namespace_placement=placement
            )
        seconds = time.perf_counter() - started
        metrics.decided(record, seconds)
        logs.decision(record, seconds * 1000)
        return Response(answer, mimetype=_JSON)

    return view


def _body(environ: dict[str, Any]) -> bytes:
    """Read the body behind every gate that needs no decoding."""
    content_type, _, parameter = environ.get("CONTENT_TYPE", "").partition(";")
    charset = parameter.strip().lower().replace('"', "")
    if content_type.strip().lower() != _JSON or charset not in ("", "charset=utf-8"):
        raise CallError(415, "the content type must be application/json")
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise CallError(415, "the body must not be encoded")
    length = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    announced = length.isdecimal() and int(length) > BODY_MAX
    body: bytes = b"" if announced else stream.read(BODY_MAX + 1)
    if announced or len(body) > BODY_MAX:
        _discard(stream)
        raise CallError(413, "the body is too large")
    if not body:
        raise CallError(400, "the body is empty")
    return body


def _discard(stream: Any) -> None:
    """Read a little more of a body nobody wants: a client that is still sending hears no answer."""
    for _ in range(_DISCARDED_MIB):
        if not stream.read(1024 * 1024):
            return


def _acquire(large: threading.BoundedSemaphore) -> None:
    """Wait for a turn to parse a large body, no longer than the caller does."""
    seconds = LARGE_WAIT_SECONDS
    asked = request.args.get("timeout", "").removesuffix("s")
    if asked.isdecimal():
        seconds = max(0.0, min(seconds, int(asked[:4]) - _MARGIN_SECONDS))
    if not large.acquire(timeout=seconds):
        raise CallError(503, "too many large bodies at once")


def _ready(guard: Guard) -> Response:
    reason = guard.not_ready()
    if reason is None:
        return _json(200, {"status": "ready"})
    return _json(503, {"status": "not ready", "reason": reason})


def _version() -> Response:
    return _json(200, {"version": importlib.metadata.version("hybrid-guard")})


def _metrics() -> Response:
    text, content_type = metrics.render()
    return Response(text, content_type=content_type)


def _json(status: int, body: dict[str, str | int]) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype=_JSON)


def _refused(error: CallError) -> Response:
    """Answer a refused call, and close: its body may still be on the way."""
    metrics.refused_call(error.status)
    response = _json(error.status, {"status": error.status, "error": error.reason})
    response.headers["Connection"] = "close"
    if error.status == 503:  # noqa: PLR2004  # the API server tries again after Retry-After
        response.headers["Retry-After"] = "1"
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = _refused(CallError(status, (error.name or "error").lower()))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _failed(error: Exception) -> Response:
    """Answer what nobody expected with 500: never an approval, never a denial by accident."""
    if isinstance(error, (StrictJSONError, ReviewError)):
        return _refused(CallError(400, str(error)))
    logs.event("internal-error", type=type(error).__name__, at=_place(error))
    return _refused(CallError(500, "internal error"))


def _place(error: Exception) -> str:
    """Return file and line of an error; its text may hold what was sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
