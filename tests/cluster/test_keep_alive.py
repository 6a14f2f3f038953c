"""Idle connections between the real API server and the real server: who closes, and what breaks.

The API server drops a connection that was idle for 90 s. A server that closes earlier may do so
while a call is being written on it, and the API server repeats no POST: the write fails. So the
server waits longer.
"""

from __future__ import annotations

import base64
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.conftest import require_programs
from tests.cluster.controlplane import hooks
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import SEED, THOROUGH
from tests.serving import Server, changed
from webhook.server.connection import HANDSHAKE_SECONDS, HEAD_SECONDS, IDLE_SECONDS

pytestmark = pytest.mark.waiting

Figure = Callable[[str], None]
CLIENT_SECONDS = 90
PARALLEL = 10
"""Hooks called at once by one write, each on a connection of its own; the pool keeps 25."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    require_programs()
    with ControlPlane(controllers=False, scheduler=False, kwok=False) as started:
        yield started


@dataclass(frozen=True)
class Pool:
    """A namespace whose ConfigMaps are judged over connections that nobody else uses.

    A pool of connections belongs to a Service; each of these is another name for localhost.
    """

    plane: ControlPlane
    name: str

    def documents(self, server: Server) -> list[dict[str, Any]]:
        """Return what to apply: the namespace, the Service and the hooks."""
        metadata = {"name": self.name, "namespace": self.name}
        spec = {"type": "ExternalName", "externalName": "localhost"}
        service = {"name": self.name, "namespace": self.name, "port": server.port}
        called = {
            "clientConfig": {
                "service": {**service, "path": "/validate"},
                "caBundle": base64.b64encode(server.authority.pem).decode(),
            },
            "failurePolicy": "Fail",
            "timeoutSeconds": 30,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.name}},
        }
        rules = [
            {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}
        ]  # fmt: skip
        entries = [hooks.hook(name, "", b"", rules, **called) for name in self.hooks]
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}},
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec},
            hooks.configuration("Validating", self.name, *entries),
        ]

    @property
    def hooks(self) -> list[str]:
        """The hooks that one write calls."""
        return [f"h{number}.{self.name}.hybrid-guard.io" for number in range(PARALLEL)]

    def write(self) -> str:
        """Write once, as a dry run; return what went wrong."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any"}}
        path = f"/api/v1/namespaces/{self.name}/configmaps?dryRun=All"
        answer = self.plane.raw("POST", path, body)
        return "" if answer.status == 201 else answer.json()["message"]

    def idle(self, seconds: float) -> list[str]:
        """Write, leave the connections alone for so long, and write again; return what failed."""
        first = self.write()
        time.sleep(seconds)  # the idle time is what is measured
        return [told for told in (first, self.write()) if told]


def pools(plane: ControlPlane, server: Server, prefix: str, count: int) -> list[Pool]:
    """Set pools up, and return when the API server calls all their hooks."""
    made = [Pool(plane, f"{prefix}{number}") for number in range(count)]
    plane.apply([document for pool in made for document in pool.documents(server)])
    wanted = {hook for pool in made for hook in pool.hooks}

    def called() -> bool:
        for pool in made:
            pool.write()
        return wanted <= set(hooks.calls(plane.metrics()))

    plane.until(called, "the hooks", 60)
    return made


def failures(used: Sequence[Pool], seconds: Sequence[float]) -> list[str]:
    """Let each pool idle for its time, all at once; return what failed."""
    with ThreadPoolExecutor(len(used)) as threads:
        told = threads.map(lambda pool, idle: pool.idle(idle), used, seconds)
        return [text for texts in told for text in texts]


def around(draw: random.Random, moment: float, width: float, count: int) -> list[float]:
    """Return times within `width` of the moment."""
    return [moment + draw.uniform(-width, width) for _ in range(count)]


def hosts(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{number}.{prefix}{number}.svc" for number in range(count))


def test_no_idle_time_fails_a_call(plane: ControlPlane, figure: Figure) -> None:
    """Neither where one of the two gives a used connection up, nor a spare one that was never used.

    A burst makes the client dial more connections than it uses; the server's deadline for a
    request must not begin before the request does.
    """
    draw = random.Random(SEED)  # noqa: S311  # times, not secrets
    moments = sorted({HANDSHAKE_SECONDS, HEAD_SECONDS, CLIENT_SECONDS, IDLE_SECONDS})
    idle = {
        f"kept-{at:.0f}-{number}-": [*around(draw, at, 1.5, 6), *around(draw, at, 0.05, 6)]
        for at in moments
        for number in range(4 if THOROUGH else 1)
    }
    used: list[Pool] = []
    with ExitStack() as stack:
        for prefix, times in idle.items():
            server = Server("--network", "bgp", hosts=hosts(prefix, len(times)))
            used += pools(plane, stack.enter_context(server), prefix, len(times))
        dialled = server.connections()
        failed = failures(used, [time for times in idle.values() for time in times])
        figure(f"{len(used) * PARALLEL} idle connections, {len(failed)} writes failed")
        assert failed == []
        assert server.connections() > dialled + len(times), "the client dialled again after 90 s"


def test_a_server_that_closes_first_fails_calls(plane: ControlPlane, figure: Figure) -> None:
    """The counter-example, so that the test above is known to see a failure."""
    rounds, count, seconds = 4, 24, 2
    before = changed(connection={"IDLE_SECONDS": seconds}, door={"SWEEP_SECONDS": 0.001})
    draw, failed = random.Random(SEED), list[str]()  # noqa: S311  # times, not secrets
    with Server(
        "--network",
        "bgp",
        hosts=hosts("cut", count),
        before=before,
    ) as server:
        used = pools(plane, server, "cut", count)
        for _ in range(rounds):
            failed += failures(used, around(draw, seconds, 0.01, count))
    writes = 2 * rounds * count
    figure(f"keep-alive {seconds} s: {len(failed)} of {writes} writes failed")
    assert any("EOF" in text or "broken pipe" in text for text in failed), failed


def test_connections_are_used_again_but_in_a_drain(plane: ControlPlane, figure: Figure) -> None:
    """A drain alone does not move calls: it costs a handshake a call until the Service forgets."""
    prefix, writes = "again", 20
    with Server("--network", "bgp", "--drain", "600", hosts=hosts(prefix, 1)) as server:
        pool = pools(plane, server, prefix, 1)[0]

        def dialled() -> int:
            before = server.connections()
            assert not any(pool.write() for _ in range(writes))
            return server.connections() - before - 1  # the look before

        kept = dialled()
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")
        assert not pool.write(), "ends what is open"
        ended = dialled()
        server.stop()
    figure(f"{writes * PARALLEL} calls: {kept} connections, in a drain {ended}")
    assert kept <= 25
    assert ended >= writes * PARALLEL
