"""Thousands of objects for a control plane, created over kept connections side by side."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from tests.cluster.controlplane.plane import ControlPlane

_CONNECTIONS = 16
_RESOURCES = {"Namespace": "namespaces", "Deployment": "deployments", "ReplicaSet": "replicasets"}


def deployment(name: str, namespace: str, image: str = "nginx:1.27") -> dict[str, Any]:
    """Return a small Deployment, as many are."""
    labels = {"app": name, "team": namespace}
    container = {
        "name": "web",
        "image": image,
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": "MODE", "value": "production"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def create(plane: ControlPlane, objects: Iterable[dict[str, Any]]) -> None:
    """Create objects of the kinds above; fails at the first that is refused."""
    waiting, lock = iter(objects), Lock()

    def taken() -> Iterator[dict[str, Any]]:
        while True:
            with lock:
                obj = next(waiting, None)
            if obj is None:
                return
            yield obj

    def work(_number: int) -> None:
        client = plane.client()
        connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=client.context)
        for obj in taken():
            headers = {"Content-Type": "application/json"}
            connection.request("POST", _path(obj), json.dumps(obj).encode(), headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 201, body
        connection.close()

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(work, range(_CONNECTIONS)))


def _path(obj: dict[str, Any]) -> str:
    group = "/api/v1" if obj["apiVersion"] == "v1" else f"/apis/{obj['apiVersion']}"
    namespace = obj["metadata"].get("namespace")
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"{group}{within}/{_RESOURCES[obj['kind']]}"
