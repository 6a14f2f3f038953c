"""A connection that broke must not break another one in the same thread."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certs import issue
from webhook.server import tls


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's."""
    pair = issue.dev_pair(("localhost",))
    (tmp_path / "crt").write_bytes(pair.certificate)
    (tmp_path / "key").write_bytes(pair.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    return server, ssl.create_default_context(cadata=pair.authority.decode())


@contextmanager
def connected(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    near, far = socket.socketpair()
    shaken: list[ssl.SSLSocket] = []
    client = threading.Thread(
        target=lambda: shaken.append(contexts[1].wrap_socket(far, server_hostname="localhost"))
    )
    client.start()
    server = contexts[0].wrap_socket(near, server_side=True)
    client.join()
    with server, shaken[0]:
        yield server, shaken[0]


def test_what_one_connection_left_does_not_end_another(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with connected(contexts) as (broken, gone), connected(contexts) as (good, client):
        gone.close()
        with pytest.raises(OSError):  # noqa: PT011  # EPIPE or ECONNRESET
            for _ in range(3):
                broken.send(b"an answer that nobody waits for")
        tls.forget_errors()
        later = threading.Thread(target=lambda: (time.sleep(0.2), client.send(b"a call")))
        later.start()  # the read must wait, which is when OpenSSL looks into the queue
        good.settimeout(10)
        assert good.recv(100) == b"a call"
        later.join()
