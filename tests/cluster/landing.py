"""Put DaemonSets into a control plane and see on which nodes the real controller places pods."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.cluster.controlplane.plane import ControlPlane

ALL_DAEMONSETS = "/apis/apps/v1/daemonsets"
DAEMONSETS = "/apis/apps/v1/namespaces/{}/daemonsets"
PODS = "/api/v1/namespaces/{}/pods"


def create(plane: ControlPlane, obj: dict[str, Any]) -> Any:
    """Create a DaemonSet with the namespace and the ServiceAccount it needs; return the answer."""
    namespace = obj["metadata"].get("namespace", "default")
    ensure(plane, "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": namespace}})
    account = obj["spec"]["template"]["spec"].get("serviceAccountName", "default")
    ensure(
        plane,
        f"/api/v1/namespaces/{namespace}/serviceaccounts",
        {"kind": "ServiceAccount", "metadata": {"name": account}},
    )
    answer = plane.raw("POST", DAEMONSETS.format(namespace), json.dumps(obj).encode())
    assert answer.status == 201, answer.body
    return answer


def ensure(plane: ControlPlane, path: str, obj: dict[str, Any]) -> None:
    """Create an object of the core group unless it is there."""
    answer = plane.raw("POST", path, json.dumps({"apiVersion": "v1", **obj}).encode())
    assert answer.status in (201, 409), answer.body


def nodes_of(plane: ControlPlane, namespace: str, name: str) -> set[str]:
    """Return the nodes of a DaemonSet's pods, once its controller is done and all have landed."""

    def settled() -> set[str] | None:
        found = plane.raw("GET", f"{DAEMONSETS.format(namespace)}/{name}").json()
        status = found["status"]
        if status.get("observedGeneration") != found["metadata"]["generation"]:
            return None
        pods = [
            pod
            for pod in plane.raw("GET", PODS.format(namespace)).json()["items"]
            if any(
                o["uid"] == found["metadata"]["uid"]
                for o in pod["metadata"].get("ownerReferences", ())
            )
            and "deletionTimestamp" not in pod["metadata"]
        ]
        landed = {pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")}
        done = len(pods) == len(landed) == status["desiredNumberScheduled"]
        return landed if done else None

    # An empty set is an answer too, and `until` waits for something that is true.
    return plane.until(lambda: _boxed(settled()), f"{namespace}/{name} to settle", 60)[0]


def _boxed(found: set[str] | None) -> tuple[set[str]] | None:
    return None if found is None else (found,)


def delete_all(plane: ControlPlane, keys: Iterable[tuple[str, str]]) -> None:
    """Delete DaemonSets with their pods, and wait until they are gone."""
    wanted = set(keys)
    for namespace, name in wanted:
        path = f"{DAEMONSETS.format(namespace)}/{name}"
        assert plane.raw("DELETE", path, {"propagationPolicy": "Foreground"}).status == 200

    def gone() -> bool:
        items = plane.raw("GET", ALL_DAEMONSETS).json()["items"]
        return not wanted & {(i["metadata"]["namespace"], i["metadata"]["name"]) for i in items}

    plane.until(gone, "DaemonSets to be gone", 60)
