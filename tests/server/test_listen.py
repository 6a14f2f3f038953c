"""Where the server cannot listen it says so in a line that names the option, and ends with 2."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.conftest import ROOT, unavailable
from tests.serving import Server


def serve(*arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-m", "webhook", "serve", "--dev", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def refused(done: subprocess.CompletedProcess[str], start: str, words: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(start)
    assert words in line
    assert "; " in line, "and the fix"


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.1", "not an address of this machine"),
        ("2001:db8::1", "not an address of this machine"),
        ("", "no address and no name"),
        ("no.such.name.invalid", "no address and no name"),
        ("a" * 64 + ".example", "no address and no name"),
        ("bücher..example", "no address and no name"),
        ("a b", "no address and no name"),
        ("[::1]", "no address and no name"),
        ("127.0.0.1:8443", "no address and no name"),
        ("fd://3", "no address and no name"),
        ("unix:/tmp/socket", "no address and no name"),
        ("https://localhost", "no address and no name"),
        ("\udcff", "no address and no name"),
    ],
)
def test_a_host_that_nobody_can_listen_on_is_one_line(host: str, why: str) -> None:
    refused(serve("--host", host, "--port", "0"), "--host ", why)


def test_a_port_that_is_taken_is_one_line_and_nothing_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(
            serve("--port", str(port)), f"--port {port}: ", "listens there already on 127.0.0.1"
        )


def test_a_second_server_is_told_and_the_first_serves_on() -> None:
    with Server("--network", "bgp") as first:
        refused(serve("--port", str(first.port)), "--port ", "listens there already")
        assert first.request("GET", "/readyz").status == 200


def test_a_port_below_1024_is_one_line_for_who_may_not() -> None:
    if os.geteuid() != 0:
        unavailable("only root may make a network of its own, where those ports are guarded")
    nobody = ("unshare", "--net", "setpriv", "--bounding-set", "-net_bind_service")

    done = serve("--host", "0.0.0.0", "--port", "443", before=nobody)  # noqa: S104  # what is told

    refused(done, "--port 443: ", "may not listen below 1024")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_it_listens_where_it_was_told(host: str) -> None:
    with Server("--network", "bgp", address=host) as server:
        expected = "127.0.0.1" if host == "localhost" else host
        assert server.host == expected
        connection = socket.create_connection((expected, server.port), timeout=30)
        with connection, server.context().wrap_socket(connection, server_hostname=host) as secure:
            secure.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 200")
