"""The accept: who gets a place, who makes room, and how connections are shared out."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.reviews import review
from tests.server.test_output import metric
from tests.server.test_server import calico, open_raw, until, workers
from tests.serving import Server, changed
from webhook.server.loads import STALE_SECONDS, Loads

BODY = json.dumps(review(calico()))


def held(server: Server) -> list[int]:
    """Return how many sockets each worker has."""
    return [sockets(pid) for pid in workers(server)]


def sockets(pid: int) -> int:
    return sum("socket:" in str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir())


def ask(connection: HTTPSConnection) -> int:
    connection.request("POST", "/mutate", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--network", "bgp", keeps_log=False) as started:
        yield started


def spread(server: Server, count: int) -> list[int]:
    """Return how many of some connections that are opened at once each worker gets."""
    context, empty = server.context(), held(server)

    def connect(_: int) -> socket.socket:
        return context.wrap_socket(open_raw(server), server_hostname=server.host)

    with ThreadPoolExecutor(count) as threads, ExitStack() as stack:
        for connection in threads.map(connect, range(count)):
            stack.enter_context(connection)
        found = [now - before for now, before in zip(held(server), empty, strict=True)]
    until(lambda: sum(held(server)) <= sum(empty))
    return found


def both_up(server: Server) -> None:
    """Wait until both take connections: a loop has sockets of its own, then it opens the door."""
    until(lambda: min(held(server)) > sockets(server.process.pid))
    until(lambda: spread(server, 2) == [1, 1])


def test_eight_connections_at_once_are_four_and_four(server: Server) -> None:
    """An API server keeps what it opens; on one worker half of the machine would be idle."""
    both_up(server)
    assert [spread(server, 8) for _ in range(50)] == [[4, 4]] * 50


def test_a_worker_that_tells_nothing_any_more_keeps_no_one_waiting() -> None:
    loads, now = Loads(), time.monotonic()
    loads.tell(1, 5, now)
    assert not loads.has_idler(1, now), "alone"
    loads.tell(2, 4, now)
    assert loads.has_idler(1, now)
    assert not loads.has_idler(2, now)
    loads.tell(2, 5, now)
    assert not loads.has_idler(1, now), "no more than it"
    loads.tell(2, 4, now)
    assert not loads.has_idler(1, now + STALE_SECONDS), "it may be dead"
    loads.tell(2, 4, now)
    loads.leave(2)
    assert not loads.has_idler(1, now), "it takes none"


@pytest.fixture
def small() -> Iterator[Server]:
    """A server that holds eight connections a worker, four of them unproven."""
    before = changed(door={"CONNECTIONS": 8, "UNPROVEN": 4})
    with Server("--network", "bgp", before=before) as started:
        both_up(started)
        yield started


def test_one_that_brought_a_review_stays_and_the_oldest_of_the_others_goes(small: Server) -> None:
    with ExitStack() as stack:
        proven = stack.enter_context(closing(small.connect()))
        assert ask(proven) == 200
        quiet = [stack.enter_context(open_raw(small)) for _ in range(40)]
        assert small.review("/mutate", review(calico())).status == 200, "the newest is served"
        assert ask(proven) == 200
        until(lambda: metric(small, "hybrid_guard_connections_turned_away_total") >= 32)
        quiet[0].settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert quiet[0].recv(1) == b""
    assert metric(small, 'hybrid_guard_connections_turned_away_total{reason="source"}') >= 32


def test_where_all_have_brought_reviews_the_next_one_is_told_to_come_again(small: Server) -> None:
    with ExitStack() as stack:
        late, *proven = [stack.enter_context(closing(small.connect())) for _ in range(17)]
        assert [ask(connection) for connection in proven] == [200] * 16
        late.request("POST", "/mutate", BODY, {"Content-Type": "application/json"})
        answer = late.getresponse()

        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert json.loads(answer.read()) == {"status": 503, "error": "too many connections"}
        assert answer.headers["Connection"] == "close"
        assert [ask(connection) for connection in proven] == [200] * 16
    until(lambda: small.review("/mutate", review(calico())).status == 200)
    assert metric(small, 'hybrid_guard_connections_turned_away_total{reason="full"}') >= 1


def test_bodies_that_stall_are_bounded_in_bytes() -> None:
    """Each is small, and says nothing for a second; the one that said something last stays."""
    start = b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n"
    with (
        Server("--network", "bgp", before=changed(door={"HELD": 1_000_000})) as server,
        ExitStack() as stack,
    ):
        for _ in range(30):
            secure = server.context().wrap_socket(open_raw(server), server_hostname=server.host)
            stack.enter_context(secure).sendall(start + b" " * 190_000)
        assert server.review("/mutate", review(calico())).status == 200
        until(
            lambda: (
                metric(server, 'hybrid_guard_connections_turned_away_total{reason="memory"}') >= 10
            )
        )


def test_connections_are_told_by_a_metric(server: Server) -> None:
    with ExitStack() as stack:
        kept = [stack.enter_context(closing(server.connect())) for _ in range(6)]
        assert [ask(connection) for connection in kept] == [200] * 6
        until(lambda: metric(server, "hybrid_guard_open_connections") in (6, 7))
    until(lambda: metric(server, "hybrid_guard_open_connections") <= 1)
