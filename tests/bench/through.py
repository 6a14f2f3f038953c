"""What a hook adds to a write, through the real API server: dry runs of a DaemonSet, interleaved.

Three namespaces alike: one that no hook matches, one whose writes both hooks of a Go webhook that
does nothing are asked about, and one for the product's.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from tests.bench import bodies
from tests.cluster.controlplane import hooks
from tests.cluster.controlplane.plane import ControlPlane

PINNED = b'"nodeAffinity"'
RESAMPLED = 400
WARM_UP = 100


@dataclass(frozen=True)
class Added:
    """Milliseconds that two hooks add to a write over none: the medians' difference."""

    milliseconds: dict[str, float]
    none: float
    ratio: float
    low: float
    high: float
    writes: int


def daemonset() -> bytes:
    """Return the example's calico-node as a client sends it."""
    documents = yaml.safe_load_all((bodies.EXAMPLES / "calico-bgp.yaml").read_text())
    found = next(document for document in documents if document["kind"] == "DaemonSet")
    found["metadata"] = {"name": "calico-node"}
    return json.dumps(found, separators=(",", ":")).encode()


def measure(sides: Mapping[str, str], authority: bytes, writes: int) -> Added:
    """Write so often under none and under each side ("go", "guard"), in turn."""
    with ControlPlane(controllers=False, scheduler=False, kwok=False) as plane:
        names = ("none", *sides)
        plane.apply(
            [
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                for name in names
            ]
        )
        for name, url in sides.items():
            register(plane, name, url, authority)
            plane.until(lambda: PINNED in write(plane, name), f"both hooks of {name}")  # noqa: B023  # at once
        return added(timed(plane, names, writes))


def write(plane: ControlPlane, name: str) -> bytes:
    return plane.raw("POST", path_of(name), daemonset()).body


def path_of(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/daemonsets?dryRun=All"


def register(plane: ControlPlane, name: str, url: str, authority: bytes) -> None:
    """Register both hooks of a side for its namespace."""
    only = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    rules = hooks.workload_rules("CREATE", "UPDATE")
    for kind, path in (("Mutating", "mutate"), ("Validating", "validate")):
        called = hooks.hook(
            f"{path}.{name}.example",
            f"{url}/{path}",
            authority,
            rules,
            failurePolicy="Fail",
            **only,
        )
        plane.apply([hooks.configuration(kind, name, called)])


def timed(plane: ControlPlane, names: tuple[str, ...], writes: int) -> dict[str, list[float]]:
    """Return the seconds of each write, by namespace."""
    body, found = daemonset(), {name: list[float]() for name in names}
    client = plane.client()
    connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=client.context)
    for number in range(writes + WARM_UP):
        for name in names:
            started = time.perf_counter()
            connection.request("POST", path_of(name), body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            seconds = time.perf_counter() - started
            if answer.status != http.client.CREATED or (PINNED in text) is (name == "none"):
                raise RuntimeError(text[:300])
            if number >= WARM_UP:
                found[name].append(seconds)
    connection.close()
    return found


def added(found: dict[str, list[float]]) -> Added:
    """Return what each side adds, the ratio of guard to go, and its 95 % interval."""
    rng = random.Random(1)  # noqa: S311  # a resampling, no secret

    def ratio(times: dict[str, list[float]]) -> float:
        middle = {name: statistics.median(values) for name, values in times.items()}
        return (middle["guard"] - middle["none"]) / (middle["go"] - middle["none"])

    drawn = sorted(
        ratio({name: rng.choices(values, k=len(values)) for name, values in found.items()})
        for _ in range(RESAMPLED)
    )
    none = statistics.median(found["none"])
    return Added(
        {name: (statistics.median(found[name]) - none) * 1000 for name in ("go", "guard")},
        none * 1000,
        ratio(found),
        drawn[int(RESAMPLED * 0.025)],
        drawn[int(RESAMPLED * 0.975)],
        len(found["none"]),
    )
