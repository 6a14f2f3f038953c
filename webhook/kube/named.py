"""Single objects of a cluster, by kind, namespace and name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from webhook.kube.cluster import Cluster, ClusterError
from webhook.workloads import WorkloadKind


def get(cluster: Cluster, kind: WorkloadKind, namespace: str, name: str) -> dict[str, Any]:
    """Return an object, by the first of its kind's versions that is served. Raises ClusterError."""
    for version in kind.versions:
        group = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
        path = f"{group}/namespaces/{quote(namespace)}/{kind.resource}/{quote(name)}"
        try:
            return cluster.get(path)
        except ClusterError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
    raise ClusterError(f"{kind.kind}/{namespace}/{name} is not there", HTTPStatus.NOT_FOUND)


def namespace_of(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Return a Namespace as an object. Raises ClusterError."""
    return cluster.get(f"/api/v1/namespaces/{quote(namespace)}")
