"""What a call is answered with: a status, JSON, and the head of an HTTP/1.1 response."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import orjson

JSON = "application/json"


class CallError(Exception):
    """A call that is refused before or without a decision: a status and a few words."""

    def __init__(self, status: int, reason: str, *, allows: str = "POST") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.allows = allows

    @property
    def body(self) -> bytes:
        """The JSON of the refusal; it quotes nothing that was sent."""
        return orjson.dumps({"status": self.status, "error": self.reason})

    @property
    def headers(self) -> str:
        """What belongs to the status beside the usual headers."""
        if self.status == HTTPStatus.METHOD_NOT_ALLOWED:
            return f"Allow: {self.allows}\r\n"
        return "Retry-After: 1\r\n" if self.status == HTTPStatus.SERVICE_UNAVAILABLE else ""


def response(
    status: int, body: bytes, *, closes: bool, media_type: str = JSON, headers: str = ""
) -> bytes:
    """Return a whole response; one that `closes` is the last of its connection."""
    head = _head(status, media_type, headers, int(time.time()), closes=closes)
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


@lru_cache(maxsize=64)
def _head(status: int, media_type: str, headers: str, second: int, *, closes: bool) -> bytes:
    """Return a head up to the length of the body; the same for all answers of a second."""
    return (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\n"
        f"Date: {formatdate(second, usegmt=True)}\r\n"
        f"Content-Type: {media_type}\r\n"
        f"Connection: {'close' if closes else 'keep-alive'}\r\n"
        f"{headers}Content-Length: "
    ).encode("ascii")


_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {413: "Content Too Large"}
