"""Hostile clients of every kind: honest ones are answered beside them, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.conftest import THOROUGH
from tests.server import hostile
from tests.server.hostile import Observer, Target
from tests.serving import ROOT, Server

pytestmark = pytest.mark.serial  # thousands of handshakes, against deadlines of seconds
SECONDS = 8.0 if THOROUGH else 2.0
CALM = 2.0 if THOROUGH else 0.5
MIB_LEFT = 64
FILES_LEFT = 8
"""What honest clients may have opened meanwhile."""


def limit() -> int:
    """Return the chart's limit of memory in MiB."""
    values = yaml.safe_load((ROOT / "charts/hybrid-guard/values.yaml").read_text())
    return int(values["server"]["resources"]["limits"]["memory"].removesuffix("Mi"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    hostile.allow_files()
    with Server("--network", "bgp", keeps_log=False) as started:
        yield started


@pytest.fixture(scope="module")
def observer(server: Server) -> Iterator[Observer]:
    found = Observer(Target(server.host, server.port, server.authority.pem.decode()))
    yield found
    found.stop()


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_honest_clients_are_answered_beside_hostile_ones(
    server: Server, observer: Observer, kind: str
) -> None:
    for clients in hostile.clients_of(kind, (64, 2000) if THOROUGH else (64,)):
        row = hostile.observe(server, observer, kind, clients, SECONDS, CALM)

        assert row.calls > 0
        assert row.failed == 0, row.why
        assert row.files <= FILES_LEFT
        assert row.peak < limit()
        assert row.left <= MIB_LEFT
