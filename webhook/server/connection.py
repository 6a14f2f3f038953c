"""One connection: bytes in, a call at a time, answers out.

llhttp parses. A small call is decided in the callback that brings its last byte: no task, no
thread, no queue (docs/serving.md has what that measured). Only large bodies and Flask's pages are
worked on beside the loop, and the connection is not read meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import time
from http import HTTPStatus
from typing import Protocol, cast

import httptools

from webhook.server import hooks
from webhook.server.answers import JSON, CallError, response
from webhook.server.app import Page
from webhook.server.calls import HEAD_MAX, Call
from webhook.server.hooks import ClientAuth
from webhook.server.service import Outcome, Service
from webhook.telemetry import metrics

LARGE = 256 * 1024
SLICE = 16 * 1024  # above a usual DaemonSet's review
HANDSHAKE_SECONDS = 3.0  # from accept on
HEAD_SECONDS = 3.0
SILENCE_SECONDS = 1.0  # in a body
BODY_RATE = 1_000_000  # bytes a second, at least
IDLE_SECONDS = 120.0
"""The API server drops idle connections after 90 s; whoever closes second never breaks a call
(docs/serving.md)."""
WRITE_SECONDS = 3.0  # for a client that does not read


class Keeper(Protocol):
    """Who keeps count of the connections."""

    def opened(self, connection: Connection) -> None:
        """Note that the handshake is done."""

    def proved(self, connection: Connection) -> None:
        """Note its first valid review."""

    def held(self, connection: Connection, size: int) -> None:
        """Note `size` bytes of a body that has no turn; 0 when they are gone."""

    def closed(self, connection: Connection) -> None:
        """Note that it has ended."""


_NOBODY = httptools.HttpRequestParser(object())


class Connection(asyncio.Protocol):
    """From accept on: `deadline` is the moment, of the monotonic clock, when it is cut off."""

    def __init__(
        self, service: Service, keeper: Keeper, source: str, *, is_full: bool = False
    ) -> None:
        self.source = source
        self._is_full = is_full  # there is no room for it: it is told so, once
        self.is_proven = False
        self.deadline = time.monotonic() + HANDSHAKE_SECONDS
        self._service = service
        self._keeper = keeper
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._has_certificate = False
        self._call: Call | None = None
        self._head_size = 0
        self._answered = 0
        self._is_deaf = False  # nothing more is read: it ends with the answer, or has ended
        self._is_busy = False  # its call is worked on beside the loop
        self._is_stuck = False  # the client does not read
        self._has_turn = False
        self._waits: asyncio.TimerHandle | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether no call is under way on it."""
        return self._call is None

    def cut(self) -> None:
        """End it at once."""
        self._is_deaf = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, after the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        if self._is_deaf:  # cut while it shook hands
            self._transport.abort()
            return
        self._has_certificate = bool(transport.get_extra_info("peercert"))
        self.deadline = time.monotonic() + IDLE_SECONDS
        self._keeper.opened(self)
        if self._has_certificate:
            self._prove()

    def connection_lost(self, _error: Exception | None) -> None:
        """Give back what it holds."""
        self._is_deaf = True
        if self._waits is not None:
            self._leave_line()
        if self._has_turn and not self._is_busy:
            self._end_turn()
        self._call = self._transport = None
        self._parser = _NOBODY  # it holds this connection, which would wait for a collection
        self._keeper.closed(self)

    def pause_writing(self) -> None:
        """Read no more from a client that does not read itself."""
        self._is_stuck = True
        self.deadline = time.monotonic() + WRITE_SECONDS
        self._read(on=False)

    def resume_writing(self) -> None:
        """Read on."""
        self._is_stuck = False
        self.deadline = time.monotonic() + IDLE_SECONDS
        self._read(on=not self._is_busy and self._waits is None)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and set the clock for what is to come.

        Of many calls in one piece a few are answered at a time, as others have their turn between.
        """
        view, at = memoryview(data), 0
        while at < len(view) and not self._is_deaf:
            answered = self._answered
            self._feed(view[at : at + SLICE])
            at += SLICE
            if at < len(view) and self._answered != answered:
                self._read(on=False)
                self._service.loop.call_soon(self._read_later, bytes(view[at:]))
                return
        call = self._call
        if call is not None and call.is_headed and not self._is_busy and self._waits is None:
            allowed = call.since + SILENCE_SECONDS + call.size / BODY_RATE
            self.deadline = min(time.monotonic() + SILENCE_SECONDS, allowed)

    def _read_later(self, data: bytes) -> None:
        self._read(on=not self._is_stuck and not self._is_busy)
        self.data_received(data)

    def _feed(self, data: memoryview) -> None:
        begun = self._call
        try:
            self._parser.feed_data(data)
            if begun is not None and begun is self._call:
                self._bound_head(begun, len(data))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, CallError) as error:
            self._end(_refused(error))

    def _bound_head(self, call: Call, size: int) -> None:
        """Raise CallError for a head without end; llhttp has no bound of its own."""
        self._head_size = 0 if call.is_headed else self._head_size + size
        if self._head_size > HEAD_MAX:
            raise CallError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Begin a call; one that comes before the answer to another is left unread."""
        if self._call is not None or self._is_deaf:
            self._is_deaf = True
            return
        now = time.monotonic()
        self._call, self._head_size = Call(now), 0
        self.deadline = now + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        if self._call is not None and not self._is_deaf:
            self._call.add_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head."""
        if self._call is not None and not self._is_deaf and not self._call.is_headed:
            self._call.add_field(name, value)

    def on_headers_complete(self) -> None:
        """Judge the head."""
        call = self._call
        if call is None or self._is_deaf:
            return
        is_required = self._service.guard.client_auth is ClientAuth.REQUIRED
        call.since = time.monotonic()
        call.begin(self._parser, is_welcome=self._has_certificate or not is_required)
        if self._is_full:
            call.closes = True
            call.refusal = CallError(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
        if call.expects and call.refusal is not None:
            raise call.refusal
        if call.expects and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body, with a turn where it is large."""
        call = self._call
        if call is None or self._is_deaf:
            return
        call.add_body(piece)
        if call.route is None or call.is_settled or self._has_turn or self._waits is not None:
            return
        if call.size > LARGE:
            self._take_turn(call)
        else:
            self._keeper.held(self, call.size)

    def on_message_complete(self) -> None:
        """Answer, unless the call waits for its turn."""
        if self._call is not None and not self._is_deaf:
            self._call.is_complete = True
            if self._waits is None:
                self._answer(self._call)

    # Large bodies.

    def _take_turn(self, call: Call) -> None:
        turns = self._service.turns
        if turns.take(self):
            self._has_turn = True
            self._keeper.held(self, 0)
        elif turns.wait(self):
            self._read(on=False)
            self.deadline = math.inf
            self._waits = self._service.loop.call_later(call.patience, self._go_without)
        else:
            self._go_without()

    def begin_turn(self) -> None:
        """Go on: the turn has come."""
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
        self._has_turn = True
        self._keeper.held(self, 0)
        self._go_on()

    def lose_turn(self) -> None:
        """Go on without: the body took too long to come."""
        self._has_turn = False
        self._go_without()
        self._service.turns.give_back(self)

    def _go_without(self) -> None:
        """Judge what has come of the body, and read the rest only to be heard."""
        if self._waits is not None:
            self._leave_line()
        call = self._call
        if call is None or call.route is None:
            return
        try:
            call.answer = self._service.decide_from_head(call.route, call.take_body()[:LARGE])
        except CallError as error:
            call.refusal = error
        self._keeper.held(self, 0)
        self._go_on()

    def _go_on(self) -> None:
        call = self._call
        if call is None:
            return
        if call.is_complete:
            self._answer(call)
        else:
            call.since = time.monotonic() - call.size / BODY_RATE
            self.deadline = time.monotonic() + SILENCE_SECONDS
            self._read(on=not self._is_stuck)

    def _leave_line(self) -> None:
        assert self._waits is not None
        self._waits.cancel()
        self._waits = None
        self._service.turns.leave(self)

    def _end_turn(self) -> None:
        self._has_turn = False
        self._service.turns.give_back(self)

    # Answers.

    def _answer(self, call: Call) -> None:
        """Answer a call that is whole: now, or when the work beside the loop is done."""
        if call.refusal is not None:
            self._send(call.refusal)
        elif call.answer is not None:
            self._send(call.answer)
        elif call.route is None:
            self._answer_page(call)
        elif self._has_turn:
            self._be_busy()
            self._service.turns.received(self)
            self._service.decide_beside(
                call.route, call.take_body(), self._finish, is_whole=call.is_whole
            )
        else:
            self._keeper.held(self, 0)
            try:
                self._send(self._service.decide(call.route, call.take_body()))
            except CallError as error:
                self._send(error)

    def _answer_page(self, call: Call) -> None:
        probe = self._service.probe(call.path)
        if probe is None:
            self._be_busy()
            self._service.page_beside(call.method, call.path, self._finish)
        elif call.method in ("GET", "HEAD"):
            self._send(probe)
        else:
            error = CallError(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed", allows="GET")
            self._send(error)

    def _be_busy(self) -> None:
        self._is_busy = True
        self.deadline = math.inf
        self._read(on=False)

    def _finish(self, outcome: Outcome) -> None:
        """Send what the work beside the loop has brought."""
        self._is_busy = False
        if self._has_turn:
            self._end_turn()
        if self._call is not None:
            self._send(outcome)
            if not self._is_deaf and not self._is_stuck:
                self._read(on=True)

    def _send(self, outcome: Outcome) -> None:
        """Answer the call, and be ready for the next one or end."""
        call, self._call = self._call, None
        self._answered += 1
        transport = self._transport
        assert call is not None
        assert transport is not None
        closes = call.closes or self._is_deaf or self._service.is_ending()
        if isinstance(outcome, bytes):
            answer = response(HTTPStatus.OK, outcome, closes=closes)
            self._prove()
            if self._has_certificate:
                self._service.guard.certificate_seen.hoist()
        else:
            answer = _other(outcome, closes=closes)
        if call.method == "HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        self.deadline = time.monotonic() + IDLE_SECONDS
        transport.write(answer)
        if closes:
            self._close(transport)

    def _end(self, error: CallError) -> None:
        """Refuse a call that cannot be read to its end, and with it the connection."""
        self._call = None
        self._keeper.held(self, 0)
        if self._transport is not None and not self._is_deaf:
            self._transport.write(_other(error, closes=True))
            self._close(self._transport)

    def _close(self, transport: asyncio.Transport) -> None:
        self._is_deaf = True
        self.deadline = time.monotonic() + WRITE_SECONDS
        transport.close()

    def _prove(self) -> None:
        if not self.is_proven:
            self.is_proven = True
            self._keeper.proved(self)

    def _read(self, *, on: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or transport.is_reading() is on:
            return
        transport.resume_reading() if on else transport.pause_reading()


def _refused(error: Exception) -> CallError:
    """Return what to answer where the parser, or what it called, has given up."""
    cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
    if isinstance(cause, CallError):
        return cause
    if isinstance(cause, httptools.HttpParserUpgrade):
        return CallError(HTTPStatus.BAD_REQUEST, "no other protocol is spoken here")
    if isinstance(cause, httptools.HttpParserError):
        return CallError(HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1")
    hooks.failed(cause or error)
    return CallError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")


def _other(outcome: Page | CallError, *, closes: bool) -> bytes:
    """Return the response to what is no review."""
    if isinstance(outcome, CallError):
        metrics.refused_call(outcome.status)
        return response(
            outcome.status, outcome.body, closes=closes, media_type=JSON, headers=outcome.headers
        )
    return response(
        outcome.status,
        outcome.body,
        closes=closes,
        media_type=outcome.media_type,
        headers=outcome.headers,
    )
