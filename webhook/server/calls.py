"""One call as it comes in: its head, checked, and as much of its body as is kept."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs, unquote

import httptools

from webhook.admission import exchange
from webhook.server import hooks
from webhook.server.answers import JSON, CallError
from webhook.server.hooks import Route

URL_MAX = 8 * 1024
FIELDS_MAX = 100
HEAD_MAX = 64 * 1024
READ_MAX = 96 * 1024 * 1024
"""A body that is refused or too large is read on so far: a client that is still sending hears no
answer, and what Go reports then is an error of the connection, which `Ignore` forgives."""
_PATIENCE_SECONDS = 1.0  # where the caller does not say how long it waits
_PATIENCE_MAX = 4.0
_MARGIN_SECONDS = 1.0  # for the body and the decision


class Call:
    """A call that is being read; `route` is None for what is no hook's."""

    __slots__ = (
        "_encoding", "_fields", "_hosts", "_kept", "_media_type", "_most", "_pieces", "_query",
        "_transfer", "_url", "answer", "closes", "expects", "is_complete", "is_headed", "is_whole",
        "method", "path", "refusal", "route", "since", "size",
    )  # fmt: skip

    def __init__(self, since: float) -> None:
        self.since = since
        self.method = self.path = self._query = ""
        self.route: Route | None = None
        self.refusal: CallError | None = None
        self.answer: bytes | None = None
        self.closes = self.expects = self.is_headed = self.is_complete = False
        self.is_whole = True
        self.size = 0
        self._url = b""
        self._fields = self._hosts = self._kept = 0
        self._media_type = self._encoding = self._transfer = b""
        self._most = exchange.BODY_MAX
        self._pieces: list[bytes] = []

    def add_url(self, part: bytes) -> None:
        """Take a part of the request's target."""
        self._url += part
        if len(self._url) > URL_MAX:
            raise CallError(HTTPStatus.REQUEST_URI_TOO_LONG, "the path is too long")

    def add_field(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        self._fields += 1
        if self._fields > FIELDS_MAX:
            raise CallError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields")
        match name.lower():
            case b"host":
                self._hosts += 1
            case b"content-type":
                self._media_type = value if not self._media_type else b"twice"
            case b"content-encoding":
                self._encoding += value
            case b"content-length":
                if value.isdigit() and int(value[:20]) > exchange.BODY_MAX:
                    self.is_whole, self._most = False, exchange.HEAD_MAX
            case b"transfer-encoding":
                self._transfer += value
            case b"expect":
                self.expects = value.lower() == b"100-continue"

    def begin(self, parser: httptools.HttpRequestParser, *, is_welcome: bool) -> None:
        """Judge the head, now that it is whole; raises CallError where the connection must end."""
        self.is_headed = True
        self.method = parser.get_method().decode("ascii")
        self.closes = not parser.should_keep_alive()
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise CallError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
        if self._hosts > 1 or (version == "1.1" and not self._hosts):
            raise CallError(HTTPStatus.BAD_REQUEST, "one Host field is needed")
        if self._transfer and (self._transfer.lower() != b"chunked" or version == "1.0"):
            raise CallError(HTTPStatus.NOT_IMPLEMENTED, "no transfer coding but chunked")
        if parser.should_upgrade():
            raise CallError(HTTPStatus.BAD_REQUEST, "no other protocol is spoken here")
        self._find_route()
        if self.route is not None:
            self.refusal = self._refusal(is_welcome=is_welcome)

    def add_body(self, piece: bytes) -> None:
        """Take a piece of the body; keep what may be judged."""
        self.size += len(piece)
        if self.size > READ_MAX:
            raise CallError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        if self.route is None or self.is_settled:
            return
        room = self._most - self._kept
        if room > 0:
            self._pieces.append(piece if len(piece) <= room else piece[:room])
            self._kept += len(self._pieces[-1])
        if self.is_whole and self.size > exchange.BODY_MAX:
            self.is_whole, self._most = False, exchange.HEAD_MAX
            self._pieces = [b"".join(self._pieces)[: exchange.HEAD_MAX]]
            self._kept = exchange.HEAD_MAX

    @property
    def is_settled(self) -> bool:
        """Whether its answer is known before its end."""
        return self.refusal is not None or self.answer is not None

    def take_body(self) -> bytes:
        """Return what was kept of the body, and keep it no longer."""
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        return body

    @property
    def patience(self) -> float:
        """How long it may wait for a turn, in seconds: not as long as its caller waits for us."""
        asked = parse_qs(self._query).get("timeout", [""])[0].removesuffix("s")
        if not asked.isdecimal():
            return _PATIENCE_SECONDS
        return max(0.0, min(_PATIENCE_MAX, int(asked[:4]) - _MARGIN_SECONDS))

    def _find_route(self) -> None:
        target = self._url
        if not target.startswith(b"/"):
            try:
                target = httptools.parse_url(target).path or b"/"
            except httptools.HttpParserInvalidURLError:
                target = b""
        path, _, query = target.decode("latin-1").partition("?")
        self.path, self._query = unquote(path), query
        self.route = hooks.route(self.path)

    def _refusal(self, *, is_welcome: bool) -> CallError | None:
        """Say what is refused without a look at the body."""
        if self.method != "POST":
            return CallError(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed")
        if not is_welcome:
            return CallError(HTTPStatus.UNAUTHORIZED, "a client certificate is required")
        if self._media_type != b"application/json" and not _is_json(self._media_type):
            reason = "the content type must be application/json"
            return CallError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
        if self._encoding not in (b"", b"identity"):
            return CallError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must not be encoded")
        return None


def _is_json(text: bytes) -> bool:
    media_type, _, parameter = text.decode("latin-1").partition(";")
    charset = parameter.strip().lower().replace('"', "")
    return media_type.strip().lower() == JSON and charset in ("", "charset=utf-8")
