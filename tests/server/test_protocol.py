"""HTTP as hostile clients speak it: refused in JSON that quotes nothing, and nobody is confused."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator

import pytest

from tests.reviews import review
from tests.server.test_server import calico, open_raw
from tests.serving import Server

HOST = b"POST /mutate HTTP/1.1\r\nHost: c4n4ry\r\nContent-Type: application/json\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = json.dumps(review(calico())).encode()
GOOD = HOST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--network", "bgp", keeps_log=False) as started:
        yield started


def secured(server: Server, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    context = context or server.context()
    return context.wrap_socket(open_raw(server), server_hostname=server.host)


def answers(server: Server, sent: bytes) -> list[tuple[int, bytes]]:
    """Send all of it, and return the answers until the server closes: their status and body."""
    with secured(server) as secure:
        secure.sendall(sent)
        got, found = b"", list[tuple[int, bytes]]()
        while True:
            head, blank, rest = got.partition(b"\r\n\r\n")
            if blank:
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.startswith(b"Content-Length:")
                )
                if len(rest) >= length:
                    found.append((int(head.split()[1]), rest[:length]))
                    got = rest[length:]
                    if b"Connection: close" in head:
                        return found
                    continue
            more = secure.recv(1 << 16)
            if not more:
                return found
            got += more


BROKEN = {
    "a length beside chunks": HOST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks beside a length": HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same length twice": HOST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": HOST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": HOST + b"Content-Length: +2\r\n\r\n{}",
    "a length below zero": HOST + b"Content-Length: -2\r\n\r\n{}",
    "a length of 30 digits": HOST + b"Content-Length: 999999999999999999999999999999\r\n\r\n{}",
    "no length in the length": HOST + b"Content-Length: \r\n\r\n{}",
    "a chunk size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk size below zero": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size of 20 digits": CHUNKED + b"ffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk size with a blank": CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "a chunk line that ends in LF": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\n{}xx0\r\n\r\n",
    "a length in the trailer": CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 3\r\n\r\n",
    "a coding of no name": HOST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "a coding before chunks": HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two codings in two fields": HOST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks twice": HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": HOST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a folded field": HOST + b"A: b\r\n c4n4ry\r\nContent-Length: 2\r\n\r\n{}",
    "a blank before the colon": HOST + b"Content-Length : 2\r\n\r\n{}",
    "a NUL in a field": HOST + b"A: c4n\x004ry\r\n\r\n",
    "a control character in a field": HOST + b"A: c4n\x014ry\r\n\r\n",
    "a CR in a field": HOST + b"A: c4n\r4ry\r\n\r\n",
    "a field without a colon": HOST + b"c4n4ry\r\n\r\n",
    "a field without a name": HOST + b": c4n4ry\r\n\r\n",
    "a vertical tab in a name": HOST + b"Transfer\x0bEncoding: chunked\r\n\r\n",
    "lines that end in LF": GOOD.replace(b"\r\n", b"\n"),
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\nHost: c4n4ry\r\nHost: y\r\n\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET /livez HTTP/1.2\r\nHost: c4n4ry\r\n\r\n",
    "another protocol": b"GET /livez HTTP/1.1\r\nHost: c4n4ry\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a tunnel": b"CONNECT c4n4ry:443 HTTP/1.1\r\nHost: c4n4ry\r\n\r\n",
    "a method of no name": b"C4N4RY /mutate HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"post /mutate HTTP/1.1\r\nHost: c4n4ry\r\n\r\n",
    "a path beyond ASCII": b"GET /c4n4ry\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a control character in the path": b"GET /c4n4ry\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01 c4n4ry \r\n\r\n",
    "10,000 fields": HOST + b"".join(b"A%d: c4n4ry\r\n" % number for number in range(10_000)) + b"\r\n",
    "a field of 300 KiB": HOST + b"A: " + b"c4n4ry" * 50_000 + b"\r\n\r\n",
    "a field without end": HOST + b"A: " + b"c4n4ry" * 100_000,
    "a path of 100 KiB": b"GET /" + b"c4n4ry" * 17_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without end": b"GET /" + b"c4n4ry" * 100_000,
}  # fmt: skip
STATUS = {
    "10,000 fields": 431, "a field of 300 KiB": 431, "a field without end": 431,
    "a path of 100 KiB": 414, "a path without end": 414, "chunks in HTTP/1.0": 501,
    "a coding of no name": 501,
    "a coding before chunks": 501, "two codings in two fields": 501,
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_http_is_refused_and_nothing_behind_it_is_answered(
    server: Server, kind: str
) -> None:
    try:
        ((status, body),) = answers(server, BROKEN[kind] + GOOD)
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        assert len(BROKEN[kind]) > 60_000, "it was still being sent"
    else:
        assert status == STATUS.get(kind, 400)
        assert json.loads(body)["status"] == status
        assert b"c4n4ry" not in body
        assert len(body) < 200
    assert answers(server, GOOD.replace(b"Host", b"Connection: close\r\nHost"))[0][0] == 200


def test_a_request_of_http_0_9_gets_no_answer(server: Server) -> None:
    assert answers(server, b"GET /livez\r\n") == []


def test_what_is_unusual_and_right_is_answered(server: Server) -> None:
    close = b"Connection: close\r\n"
    for sent, status in (
        (b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n", 200),
        (b"\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n", 200),
        (b"GET /livez HTTP/1.0\r\n\r\n", 200),
        (b"GET /%6civez?x=%00 HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n", 404),
        (CHUNKED.replace(b"Host", close + b"Host") + b"%x;a=b\r\n" % len(BODY) + BODY + b"\r\n0\r\nX: y\r\n\r\n", 200),
    ):  # fmt: skip
        assert [status for status, _ in answers(server, sent)] == [status], sent[:40]


def test_pipelined_calls_are_answered_in_order(server: Server) -> None:
    probe = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    missing = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    found = answers(server, GOOD + probe + GOOD + missing)

    assert [status for status, _ in found] == [200] * 4
    assert [b"AdmissionReview" in body for _, body in found] == [True, False, True, False]
    assert b"ready" in found[3][1]


def test_behind_a_call_that_is_worked_on_beside_the_loop_none_is_read(server: Server) -> None:
    """It ends with that answer, which says so; a client may send the others again."""
    page = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
    found = answers(server, page + GOOD + GOOD)

    assert len(found) == 1
    assert b"version" in found[0][1]


def test_a_client_that_waits_for_a_100_gets_it_and_one_that_is_refused_does_not(
    server: Server,
) -> None:
    waits = GOOD.replace(b"Content-Type", b"Expect: 100-continue\r\nContent-Type")
    head, _, body = waits.partition(b"\r\n\r\n")
    with secured(server) as secure:
        secure.sendall(head + b"\r\n\r\n")
        assert secure.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        secure.sendall(body)
        assert secure.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    with secured(server) as secure:
        secure.sendall(head.replace(b"application/json", b"text/plain") + b"\r\n\r\n")
        assert secure.recv(1000).startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_not_spoken(server: Server, version: ssl.TLSVersion) -> None:
    context = server.context()
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        secured(server, context)


def test_nobody_makes_the_server_shake_hands_again(server: Server) -> None:
    """In TLS 1.2 a client may ask for it without end: it costs a signature each time."""
    command = ["openssl", "s_client", "-tls1_2", "-connect", f"{server.host}:{server.port}"]
    done = subprocess.run(command, input=b"R\n", capture_output=True, timeout=60, check=False)

    assert b"RENEGOTIATING" in done.stderr
    assert b"no renegotiation" in done.stderr
    assert server.request("GET", "/livez").status == 200


def test_http_2_is_not_offered(server: Server) -> None:
    context = server.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secured(server, context) as secure:
        assert secure.selected_alpn_protocol() != "h2"


@pytest.mark.parametrize("path", ["/mutate", "/livez", "/version", "/nope"])
def test_a_head_has_no_body(server: Server, path: str) -> None:
    with secured(server) as secure:
        secure.sendall(b"HEAD %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        got = b""
        while more := secure.recv(1000):
            got += more
    assert got.endswith(b"\r\n\r\n")
    assert got.count(b"\r\n\r\n") == 1
