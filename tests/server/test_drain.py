"""How the server stops: every connection ends after an answer, none in the middle of one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.reviews import patch_of, review
from tests.server.test_server import calico, stall, until, workers
from tests.serving import Answer, Server

LONG = "3600"
BODY = json.dumps(review(calico())).encode()


def ask(connection: http.client.HTTPSConnection) -> Answer:
    """Send a review on a connection that may have served before, and never reconnect."""
    connection.auto_open = 0
    connection.request("POST", "/mutate", BODY, {"Content-Type": "application/json"})
    return Answer(connection.getresponse())


@contextlib.contextmanager
def kept(server: Server, count: int) -> Iterator[list[http.client.HTTPSConnection]]:
    """Open connections that have served once and are kept."""
    connections = [server.connect() for _ in range(count)]
    try:
        for connection in connections:
            connection.connect()
            assert ask(connection).headers["Connection"] == "keep-alive"
        yield connections
    finally:
        for connection in connections:
            connection.close()


@pytest.fixture
def draining() -> Iterator[Server]:
    with Server("--network", "bgp", "--drain", LONG) as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")
        yield server
        server.stop()  # the second SIGTERM


def test_a_drain_ends_each_connection_with_an_answer_and_still_takes_new_ones() -> None:
    with Server("--network", "bgp", "--drain", LONG) as server, kept(server, 8) as connections:
        assert server.request("GET", "/readyz").status == 200
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")

        for connection in [*connections, *(server.connect() for _ in range(8))]:
            connection.connect() if connection.sock is None else None
            answer = ask(connection)
            assert answer.headers["Connection"] == "close"
            assert patch_of(answer.json())
        ready = server.request("GET", "/readyz")
        assert (ready.status, ready.json()["reason"]) == (503, "draining")
        assert server.request("GET", "/livez").status == 200
        assert server.stop() == 0, "a second SIGTERM ends it"


def test_a_worker_that_comes_up_in_a_drain_drains_too(draining: Server) -> None:
    before = workers(draining)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not set(before) & set(workers(draining)))

    assert draining.review("/mutate", review(calico())).headers["Connection"] == "close"


def test_a_drain_ends_by_itself() -> None:
    with Server("--network", "bgp", "--drain", "0.5") as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        assert [line["event"] for line in server.lines].count("draining") == 1


def test_without_a_drain_an_open_connection_still_gets_an_answer() -> None:
    """The worker waits for them, two seconds; so it must not miscount them."""
    with Server("--network", "bgp") as server:
        # Handshakes that end at their deadline count for nothing afterwards.
        stalled = [stall(server, "one byte") for _ in range(20)]
        for raw in stalled:
            with raw, contextlib.suppress(ConnectionResetError):
                assert raw.recv(1) == b""
        with kept(server, 4) as connections:
            server.process.send_signal(signal.SIGTERM)
            for connection in connections:
                until(lambda: ask(connection).headers["Connection"] == "close")  # noqa: B023  # at once
