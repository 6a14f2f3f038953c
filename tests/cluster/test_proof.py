"""The proof: real DaemonSets, the real guard, and the nodes where pods really land."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import corpus, landing
from tests.cluster.controlplane import nodes
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.corpus import RealDaemonSet
from tests.serving import Server

CLOUD = {node.name for node in nodes.CLOUD}
ON_PREM = {node.name for node in nodes.ON_PREM}
ALLOWED = {"on-prem": ON_PREM, "cloud": CLOUD, "any": ON_PREM | CLOUD}

pytestmark = pytest.mark.timeout(900)


def rounds(found: list[RealDaemonSet]) -> list[list[RealDaemonSet]]:
    """Split DaemonSets so that no two of a round share namespace and name."""
    split: list[list[RealDaemonSet]] = []
    for each in found:
        for taken in split:
            if each.key not in {other.key for other in taken}:
                taken.append(each)
                break
        else:
            split.append([each])
    return split


def landings(
    plane: ControlPlane, found: list[RealDaemonSet]
) -> dict[tuple[str, str, str], set[str]]:
    """Create all DaemonSets, round by round, and return the nodes of each."""
    landed = {}
    for together in rounds(found):
        for each in together:
            landing.create(plane, corpus.converted(each.object))
        for each in together:
            landed[each.file, *each.key] = landing.nodes_of(plane, *each.key)
        landing.delete_all(plane, [each.key for each in together])
    return landed


@pytest.fixture(scope="module")
def real() -> list[RealDaemonSet]:
    found = corpus.daemonsets()
    assert len(found) >= 45
    return found


@pytest.fixture(scope="module")
def without_guard(
    plane: ControlPlane, real: list[RealDaemonSet]
) -> dict[tuple[str, str, str], set[str]]:
    """Where each lands by itself: what its own selectors and taints leave."""
    return landings(plane, real)


@pytest.fixture
def guard(plane: ControlPlane, network: str) -> Iterator[Server]:
    with Server("--network", network) as server:
        plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        yield server
        plane.unregister_guard()


@pytest.mark.parametrize("network", ["overlay", "bgp", "host"])
def test_every_real_daemonset_lands_where_it_belongs_and_nowhere_else(
    plane: ControlPlane,
    guard: Server,
    network: str,
    real: list[RealDaemonSet],
    without_guard: dict[tuple[str, str, str], set[str]],
) -> None:
    landed = landings(plane, real)

    wanted = {
        (each.file, *each.key): without_guard[each.file, *each.key]
        & ALLOWED[each.placements[network]]
        for each in real
    }
    wrong = {key: (landed[key], wanted[key]) for key in wanted if landed[key] != wanted[key]}
    assert wrong == {}
    decisions = [line for line in guard.lines if line["event"] == "decision"]
    assert len(decisions) >= 2 * len(real), "both hooks see every one"


def test_without_the_guard_calico_reaches_cloud_nodes(
    without_guard: dict[tuple[str, str, str], set[str]],
) -> None:
    calico = without_guard["calico/v3.28.5-calico-bpf.yaml", "kube-system", "calico-node"]

    assert calico & CLOUD
    assert calico & ON_PREM
