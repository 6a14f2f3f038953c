"""Connections that wait: what they cost, and who makes room."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.reviews import review
from tests.server.hostile import total
from tests.server.test_server import calico, open_raw, stall, until, workers
from tests.serving import Server
from webhook.server.door import CONNECTIONS
from webhook.server.program import WORKERS

pytestmark = pytest.mark.serial  # thousands of handshakes, against deadlines of seconds

FLOOD = 2000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--network", "bgp") as started:
        yield started


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 3 * FLOOD), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def open_files(server: Server) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers(server))


def answered(server: Server, count: int) -> None:
    for _ in range(count):
        assert server.review("/mutate", review(calico())).status == 200


def test_a_spare_connection_waits_for_its_first_call(server: Server) -> None:
    """A Go client dials one more than it uses; closed under its first call, that would fail."""
    spare = server.connect()
    spare.connect()
    with stall(server, "half header") as stalled, contextlib.suppress(ConnectionResetError):
        assert stalled.recv(1) == b"", "its deadline passed"
    spare.request("GET", "/livez")
    assert spare.getresponse().status == 200
    spare.close()


def test_clients_that_never_close_keep_nobody_waiting(server: Server) -> None:
    """Each costs a thread its three seconds, not the worker's main thread."""
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with contextlib.ExitStack() as stack:

        def hold() -> None:
            raw = stack.enter_context(open_raw(server))
            secure = server.context().wrap_socket(raw, server_hostname=server.host)
            stack.enter_context(secure).sendall(request)

        holders = [threading.Thread(target=hold) for _ in range(60)]
        for holder in holders:
            holder.start()
        answered(server, 20)
        for holder in holders:
            holder.join()


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("secure", [False, True], ids=["nothing", "a handshake"])
def test_a_flood_of_quiet_connections_shuts_nobody_out(server: Server, *, secure: bool) -> None:
    before = open_files(server)
    context = server.context()

    def connect(_: int) -> socket.socket:
        raw = open_raw(server)
        return context.wrap_socket(raw, server_hostname=server.host) if secure else raw

    with ThreadPoolExecutor(16) as threads:
        quiet = list(threads.map(connect, range(FLOOD)))
    try:
        answered(server, 20)
        assert open_files(server) <= before + WORKERS * (CONNECTIONS + 50)
    finally:
        for connection in quiet:
            connection.close()
    until(lambda: open_files(server) <= before + 10)


def test_connections_are_counted(server: Server) -> None:
    before = server.connections()
    with open_raw(server) as raw:
        raw.sendall(b"no handshake\r\n\r\n")
    server.request("GET", "/livez")
    assert server.connections() == before + 2, "one for /livez and one for the first look"


def test_connections_that_have_ended_leave_no_memory_behind(server: Server) -> None:
    """Their parser holds them: a circle, which would stay for a million objects more."""

    def come_and_go() -> int:
        for _ in range(1000):
            assert server.request("GET", "/livez").status == 200
        return total(server, "smaps_rollup", "Pss")

    first = come_and_go()
    assert come_and_go() < first + 10
