"""One of two servers goes, or loses its workers, under the real API server's calls: none fails.

The hooks say `failurePolicy: Fail`, so each call that gets no answer is a write that fails.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cluster import chart, load, netns
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane import hooks, programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.load import Load
from tests.conftest import scaled
from tests.server.test_server import until, workers
from tests.serving import Server

pytestmark = pytest.mark.waiting

Figure = Callable[[str], None]
ADDRESSES = ("192.0.2.10", "192.0.2.11")
SERVICE = {"namespace": "kube-system", "name": "hybrid-guard"}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
ENDPOINTS = "/api/v1/namespaces/kube-system/endpoints/hybrid-guard"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Pair:
    """Two servers behind one Service, in a network of their own."""

    plane: ControlPlane
    servers: tuple[Server, Server]

    def documents(self) -> list[dict[str, Any]]:
        """Return the Service, an EndpointSlice a server, and the hooks."""
        port = {"name": "https", "port": 443, "protocol": "TCP"}
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": SERVICE,
            "spec": {"ports": [port]},
        }
        authorities = b"".join(server.authority.pem for server in self.servers)
        registered = [
            hooks.mutating("https://x", authorities, failure_policy="Fail"),
            hooks.validating("https://x", authorities, failure_policy="Fail"),
        ]
        for hook in (hook for document in registered for hook in document["webhooks"]):
            path = urlsplit(hook["clientConfig"].pop("url")).path
            hook["clientConfig"]["service"] = {**SERVICE, "path": path}
        slices = map(self.endpoint, self.servers)
        return [service, self.endpoints(*self.servers), *slices, *registered]

    def endpoints(self, *ready: Server) -> dict[str, Any]:
        """Return the servers as an API server before 1.34 looks for them."""
        subsets = [
            {"addresses": [{"ip": server.host}], "ports": [{"name": "https", "port": server.port}]}
            for server in ready
        ]
        return {"apiVersion": "v1", "kind": "Endpoints", "metadata": SERVICE, "subsets": subsets}

    def endpoint(self, server: Server, *, serves: bool = True) -> dict[str, Any]:
        """Return the EndpointSlice of one server, as its controller keeps it."""
        conditions = {"ready": serves, "serving": True, "terminating": not serves}
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": "kube-system", "name": f"guard-{server.port}",
                "labels": {"kubernetes.io/service-name": "hybrid-guard"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [server.host], "conditions": conditions}],
            "ports": [{"name": "https", "port": server.port, "protocol": "TCP"}],
        }  # fmt: skip

    def forget(self, server: Server) -> None:
        """Do what the endpoint controller does when a pod is deleted."""
        document = self.endpoint(server, serves=False)
        changed = {"endpoints": document["endpoints"]}
        self.plane.raw("PATCH", f"{SLICES}/{document['metadata']['name']}", changed, MERGE)
        left = self.endpoints(*(other for other in self.servers if other is not server))
        self.plane.raw("PUT", ENDPOINTS, left)

    def write_to_both(self) -> bool:
        """Write a few times at once; tell whether both servers have been called."""
        with ThreadPoolExecutor(20) as threads:
            list(threads.map(load.write, [self.plane] * 20))
        return all(self.open_at(server) for server in self.servers)

    def open_at(self, server: Server) -> int:
        """Return how many connections the API server has to a server."""
        listed = subprocess.run(
            ["ss", "-Htn", "state", "established", f"src {server.host} and sport = :{server.port}"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return len(listed.stdout.splitlines())


def flags() -> list[str]:
    """Let the API server choose an endpoint for each connection, as kube-proxy does for a Service.

    From 1.37 on it can choose one for each call; behind kube-proxy that is no different.
    """
    gate = "--feature-gates=WebhookRoundTripLoadBalancing=false"
    newer = tuple(map(int, programs.served_version()[1:].split(".")[:2])) >= (1, 37)
    return ["--enable-aggregator-routing=true", *[gate] * newer]


def shipped() -> tuple[str, list[str]]:
    """Return the chart's --drain and its preStop command."""
    container = chart.pod("bgp")["containers"][0]
    drain = next(word for word in container["command"] if word.startswith("--drain="))
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "python"
    return drain, [sys.executable, *command[1:]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    require_programs()
    drain, _ = shipped()
    name = ("hybrid-guard.kube-system.svc",)
    with (
        netns.isolated(*ADDRESSES),
        Server("--network", "bgp", drain, address=ADDRESSES[0], hosts=name) as first,
        Server("--network", "bgp", drain, address=ADDRESSES[1], hosts=name) as second,
        ControlPlane(
            controllers=False, scheduler=False, kwok=False, apiserver_flags=flags()
        ) as plane,
    ):
        made = Pair(plane, (first, second))
        plane.apply(made.documents())

        plane.until(made.write_to_both, "calls of both servers", 60)
        yield made
        for server in made.servers:
            end(server)


def end(server: Server) -> None:
    """Stop it without its drain: with a second SIGTERM."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")


def drained(server: Server) -> int:
    """Wait until a server that drains is gone; return how many connections it ever took."""
    count = looks = 0
    tick = threading.Event()
    while server.process.poll() is None:
        with contextlib.suppress(OSError):
            count = server.connections() - looks
            looks += 1
        tick.wait(0.5)
    assert server.process.wait() == 0
    return count


def answered(server: Server) -> int:
    """Return how many calls it decided since its drain began."""
    events = [line["event"] for line in server.lines]
    return events[events.index("draining") :].count("decision")


@pytest.mark.parametrize("together", [1, 20], ids=["steady", "bursts"])
def test_a_server_that_is_deleted_fails_no_write(pair: Pair, figure: Figure, together: int) -> None:
    going, staying = pair.servers
    _, pre_stop = shipped()
    with Load(pair.plane, together) as writes:
        pair.forget(going)
        subprocess.run(pre_stop, check=True)
        held = pair.open_at(going)
        before = [going.connections(), staying.connections()]
        going.process.send_signal(signal.SIGTERM)
        taken = drained(going) - before[0] - 1  # the look before
        moved = staying.connections() - before[1] - 1
    figure(
        f"{writes.count} writes; open before {held}, answered in the drain {answered(going)}; "
        f"new connections {taken} here, {moved} there"
    )
    assert writes.failed == []
    assert held > 0, "the API server kept connections to the server that goes"
    assert answered(going) or together == 1, "and used them"
    assert taken == 0, "but opened none, as the Service had forgotten it"
    assert moved <= held + 2 * together, "each of them was replaced once, not each call"


def test_a_server_that_is_killed_while_the_service_still_names_it_fails_no_write(
    pair: Pair, figure: Figure
) -> None:
    going, _ = pair.servers
    with Load(pair.plane, 20) as writes:
        before, begun = going.connections(), writes.count
        going.process.send_signal(signal.SIGTERM)
        until(lambda: writes.count >= begun + 100)  # five bursts
        pair.forget(going)
        taken = drained(going) - before - 1
    figure(f"{writes.count} writes; answered {answered(going)}, connections {taken}")
    assert writes.failed == []
    assert answered(going) > 0


@pytest.fixture
def alone(api_server: ControlPlane) -> Iterator[Server]:
    """One server that gets every call."""
    with Server("--network", "bgp") as server:
        api_server.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        yield server
        api_server.unregister_guard()


def test_workers_that_are_replaced_under_load_fail_no_write(
    api_server: ControlPlane, alone: Server, figure: Figure
) -> None:
    reloads = scaled(20)
    with Load(api_server, 5) as writes:
        for _ in range(reloads):
            before, begun = workers(alone), writes.count
            alone.process.send_signal(signal.SIGHUP)
            until(lambda: not set(before) & set(workers(alone)))  # noqa: B023  # at once
            until(lambda: writes.count >= begun + 10)  # noqa: B023
    figure(f"{writes.count} writes, {reloads} reloads, failed: {writes.failed}")
    assert writes.failed == []


def test_a_worker_that_is_killed_under_load_fails_what_it_was_answering_at_most(
    api_server: ControlPlane, alone: Server, figure: Figure
) -> None:
    kills, together = scaled(20), 5
    with Load(api_server, together) as writes:
        for _ in range(kills):
            before, begun = workers(alone), writes.count
            os.kill(before[0], signal.SIGKILL)
            until(lambda: before != workers(alone))  # noqa: B023
            until(lambda: writes.count >= begun + 10)  # noqa: B023
    figure(f"{writes.count} writes, {kills} workers killed, failed: {writes.failed}")
    assert len(writes.failed) <= kills * together
