"""Connections that break must not break others, with the image's own Python and OpenSSL.

Python 3.13.5 with OpenSSL 3.5 leaves the EPIPE of one socket in the thread's error queue, and the
next read of another one in that thread fails with it (gh-115627). The loop's TLS reads and writes
memory, so no error of a socket is OpenSSL's: no such call may fail here.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from contextlib import ExitStack, closing
from http.client import HTTPSConnection

from tests.image.build import Image
from tests.image.served import ImageServer
from tests.reviews import patch_of, review
from tests.server.test_server import calico

BODY = json.dumps(review(calico()))
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a close sends RST, so what the server still writes gets EPIPE or ECONNRESET."""
BROKEN = 100


def ask(connection: HTTPSConnection) -> None:
    connection.auto_open = 0
    connection.request("POST", "/mutate", BODY, {"Content-Type": "application/json"})


def answered(connection: HTTPSConnection) -> bool:
    return bool(patch_of(json.loads(connection.getresponse().read())))


def break_off(connection: HTTPSConnection, number: int) -> None:
    """Leave in one of three ways: with an answer under way, in a record, or in the handshake."""
    sock = connection.sock
    assert sock is not None
    if number % 3 == 0:
        ask(connection)
    plain = socket.socket(fileno=sock.detach()) if number % 3 else sock
    with contextlib.closing(plain):
        if number % 3 == 1:
            plain.sendall(b"\x17\x03\x03\x40\x00 no record")
        elif number % 3 == 2:
            plain.sendall(b"\x16\x03\x01\x00\xff no hello")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def test_what_one_connection_left_does_not_end_another(image: Image) -> None:
    with ImageServer(image, "--network=bgp") as server, ExitStack() as stack:
        kept = [stack.enter_context(closing(server.connect())) for _ in range(8)]
        for number in range(BROKEN):
            broken = stack.enter_context(closing(server.connect()))
            for connection in kept:
                ask(connection)
            break_off(broken, number)
            assert all(answered(connection) for connection in kept)
        assert not [line for line in server.lines if line["event"] == "internal-error"]
