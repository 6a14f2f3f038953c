"""The hooks as plain WSGI, in front of Flask: gates, one decision, JSON for every error.

Flask's routing, request and response objects take as long as three decisions (measured: 0.1 ms of
0.33 ms a review), and a hook needs none of them. Everything else goes through to Flask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson

from webhook.admission import exchange
from webhook.admission.record import Record
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.server.tls import has_client_certificate
from webhook.telemetry import logs, metrics

LARGE = 256 * 1024
LARGE_AT_ONCE = 2  # in memory, up to 64 MiB each while it is read; one of them is judged at a time
LARGE_WAIT_SECONDS = 1.0
_DISCARDED = 1024 * 1024
_MARGIN_SECONDS = 0.5
JSON = "application/json"
BREAK_GLASS = "/validate/break-glass/"
"""Below it a path answers as /validate does. When the API server cannot reach a hook, its name and
path are all of ours that a user is shown, so the path spells out the command that takes it away."""

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment as Environ

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_EXTRA = {405: ("Allow", "POST"), 503: ("Retry-After", "1")}


class CallError(Exception):
    """A call that is refused before or without a decision: a status and a few words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the server asks: the policy, and why it is not ready (None when it is)."""

    policy: Callable[[], Policy]
    not_ready: Callable[[], str | None]
    wants_client_certificate: bool = False


class Hooks:
    """A WSGI application that answers the hooks' paths and hands on all others."""

    def __init__(self, guard: Guard, others: WSGIApplication) -> None:
        self._guard = guard
        self._others = others
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._judging = threading.Lock()
        self._paths: dict[str, tuple[Hook, Placement | None]] = {}
        for hook in Hook:
            self._paths[f"/{hook}"] = (hook, None)
            for placement in (Placement.ON_PREM, Placement.CLOUD):
                self._paths[f"/{hook}/{placement}"] = (hook, placement)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call; the one broad except, so that an error is always a JSON 500."""
        path = environ["PATH_INFO"]
        found = self._paths.get(path)
        if found is None and path.startswith(BREAK_GLASS):
            found = (Hook.VALIDATE, None)
        if found is None:
            return self._others(environ, start_response)
        try:
            answer = self._decide(environ, *found)
        except CallError as error:
            return refuse(error, start_response)
        except (StrictJSONError, ReviewError) as error:
            return refuse(CallError(400, str(error)), start_response)
        except Exception as error:  # noqa: BLE001  # never an approval or a denial by accident
            failed(error)
            return refuse(CallError(500, "internal error"), start_response)
        length = str(len(answer))
        start_response("200 OK", [("Content-Type", JSON), ("Content-Length", length)])
        return (answer,)

    def _decide(self, environ: Environ, hook: Hook, placement: Placement | None) -> bytes:
        started = time.perf_counter()
        if environ["REQUEST_METHOD"] != "POST":
            raise CallError(405, "method not allowed")
        if self._guard.wants_client_certificate and not has_client_certificate(
            environ.get("gunicorn.socket")
        ):
            raise CallError(401, "a client certificate is required")
        _check(environ)
        body: bytes = environ["wsgi.input"].read(LARGE + 1)
        if not body:
            raise CallError(400, "the body is empty")
        if len(body) <= LARGE:
            answer, record = self._answer(hook, placement, body)
        else:
            answer, record = self._answer_large(environ, hook, placement, body)
        seconds = time.perf_counter() - started
        metrics.decided(record, seconds)
        logs.decision(record, seconds * 1000)
        return answer

    def _answer(
        self, hook: Hook, placement: Placement | None, body: bytes, *, is_whole: bool = True
    ) -> tuple[bytes, Record]:
        policy = self._guard.policy()
        return exchange.answer(hook, body, policy, namespace_placement=placement, is_whole=is_whole)

    def _answer_large(
        self, environ: Environ, hook: Hook, placement: Placement | None, start: bytes
    ) -> tuple[bytes, Record]:
        """Read what follows `start`, and judge it, when it has its turn at both."""
        self._wait(environ)
        try:
            body, is_whole = _read_on(start, environ)
            with self._judging:
                return self._answer(hook, placement, body, is_whole=is_whole)
        except (StrictJSONError, ReviewError):
            if is_whole:
                raise
            raise CallError(413, "the body is too large") from None
        finally:
            self._large.release()

    def _wait(self, environ: Environ) -> None:
        """Wait for a turn with a large body, no longer than the caller does."""
        seconds = LARGE_WAIT_SECONDS
        asked = parse_qs(environ.get("QUERY_STRING", "")).get("timeout", [""])[0].removesuffix("s")
        if asked.isdecimal():
            seconds = max(0.0, min(seconds, int(asked[:4]) - _MARGIN_SECONDS))
        if not self._large.acquire(timeout=seconds):
            raise CallError(503, "too many large bodies at once")


def _check(environ: Environ) -> None:
    """Refuse what needs no look at the body."""
    if environ.get("CONTENT_TYPE") != JSON:
        _check_type(environ.get("CONTENT_TYPE", ""))
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise CallError(415, "the body must not be encoded")


def _read_on(start: bytes, environ: Environ) -> tuple[bytes, bool]:
    """Return a body that begins with `start`, and True; of one that is too large its head.

    That is read to its end all the same: a client that is still sending hears no answer, and what
    Go reports then is an error of the connection, which `failurePolicy: Ignore` forgives.
    """
    stream, length = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
    announced = length.isdecimal() and int(length[:20]) > exchange.BODY_MAX
    most = exchange.HEAD_MAX if announced else exchange.BODY_MAX + 1
    body = start + stream.read(most - len(start))
    if len(body) < most:
        return body, True
    head = body[: exchange.HEAD_MAX]
    del body
    while stream.read(_DISCARDED):
        pass
    return head, False


def _check_type(text: str) -> None:
    content_type, _, parameter = text.partition(";")
    charset = parameter.strip().lower().replace('"', "")
    if content_type.strip().lower() != JSON or charset not in ("", "charset=utf-8"):
        raise CallError(415, "the content type must be application/json")


def refuse(error: CallError, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a refused call; what is left of its body, gunicorn reads or closes the connection."""
    metrics.refused_call(error.status)
    body = refusal(error)
    headers = [("Content-Type", JSON), ("Content-Length", str(len(body)))]
    if error.status in _EXTRA:
        headers.append(_EXTRA[error.status])
    start_response(f"{error.status} {_REASONS[error.status]}", headers)
    return (body,)


def refusal(error: CallError) -> bytes:
    """Return the JSON body of a refused call."""
    return orjson.dumps({"status": error.status, "error": error.reason})


def failed(error: Exception) -> None:
    """Tell of what nobody expected: its type and place, as its text may hold what was sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    logs.event("internal-error", type=type(error).__name__, at=place)
