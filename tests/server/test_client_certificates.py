"""Client certificates: used where one is given, and asked for on the hooks alone."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane.pki import Authority
from tests.reviews import patch_of, review
from tests.server.test_server import calico
from tests.serving import Answer, Server


class Callers:
    """The CA of callers, and a caller with a certificate of it."""

    def __init__(self, folder: Path) -> None:
        authority = Authority()
        self.authority = folder / "callers.pem"
        self.authority.write_bytes(authority.pem)
        self._pair = authority.issue("caller", []).write(folder, "caller")
        self._foreign = Authority().issue("caller", []).write(folder, "foreign")

    def ask(self, server: Server, *, foreign: bool = False) -> Answer:
        context = server.context()
        context.load_cert_chain(*(self._foreign if foreign else self._pair))
        server.context = lambda: context  # type: ignore[method-assign]
        try:
            return server.review("/mutate", review(calico()))
        finally:
            del server.context


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    return Callers(tmp_path)


@pytest.fixture(params=["optional", "required"])
def server(request: pytest.FixtureRequest, callers: Callers) -> Iterator[tuple[str, Server]]:
    given = ("--client-ca", str(callers.authority), "--client-auth", request.param)
    with Server("--network", "bgp", *given) as started:
        yield request.param, started


def test_who_brings_one_is_answered_and_who_brings_none_as_the_mode_says(
    server: tuple[str, Server], callers: Callers
) -> None:
    mode, started = server
    told = started.request("GET", "/version").json()["clientCertificate"]
    assert told == {"mode": mode, "seen": False}
    assert started.request("GET", "/readyz").status == 200
    without = started.review("/mutate", review(calico()))
    assert without.status == (200 if mode == "optional" else 401)
    assert started.request("GET", "/version").json()["clientCertificate"]["seen"] is False

    assert patch_of(callers.ask(started).json())
    for _ in range(8):  # whichever worker answers
        assert started.request("GET", "/version").json()["clientCertificate"]["seen"] is True


def test_one_of_another_ca_is_refused_in_the_handshake(
    server: tuple[str, Server], callers: Callers
) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        callers.ask(server[1], foreign=True)


def test_without_a_ca_none_is_asked_for(callers: Callers) -> None:
    with Server("--network", "bgp") as started:
        assert "clientCertificate" not in started.request("GET", "/version").json()
        assert callers.ask(started).status == 200


def test_a_ca_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no PEM")
    server = Server("--network", "bgp", "--client-ca", str(tmp_path / "none.pem"))
    with pytest.raises(AssertionError, match="no listening"):
        server.__enter__()
    assert f"{tmp_path}/none.pem: not a PEM certificate" in "".join(server.text)
    assert server.stop() == 2
    server.__exit__()
