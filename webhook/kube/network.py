"""What tells of a cluster's network: few kinds, few ConfigMaps, and a note where rights end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from webhook.detect import Survey, wanted
from webhook.detect.seen import Seen
from webhook.kube.cluster import METADATA_ONLY, Cluster, ClusterError
from webhook.placement.model import CloudNodes

Object = dict[str, Any]
Refused = Callable[[str, ClusterError], object]
"""Hears a resource's name, and why it was not read."""


def settings(cluster: Cluster, seen: Seen, refused: Refused) -> Iterator[Object]:
    """Yield what decides how the data paths that were seen move packets.

    Raises ClusterError where the API server does not answer.
    """
    for paths in wanted.resources(seen):
        yield from _first_served(cluster, paths, refused)
    for namespace, name in wanted.settings(seen):
        yield from _one(cluster, f"/api/v1/namespaces/{namespace}/configmaps/{name}", refused)
    for namespace in wanted.controllers(seen):
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/kube-ovn-controller"
        yield from _one(cluster, path, refused)


def look(cluster: Cluster, cloud: CloudNodes) -> Survey:
    """Look at a cluster for detection alone.

    Raises ClusterError where the API server does not answer, or refuses everything.
    """
    return _Look(cluster, cloud).survey()


class _Look:
    """One look at a cluster."""

    def __init__(self, cluster: Cluster, cloud: CloudNodes) -> None:
        self._cluster = cluster
        self._cloud = cloud
        self._survey = Survey()
        self._refusals: list[ClusterError] = []

    def survey(self) -> Survey:
        seen = self._survey.seen
        whole = self._add(wanted.DAEMONSETS, self._cluster.list(wanted.DAEMONSETS))
        nodes = self._add(wanted.NODES, self._nodes())
        for obj in settings(self._cluster, seen, self._refused):
            self._survey.add(obj)
        if not wanted.settings(seen):
            # An operator that has only begun has an Installation before it has a DaemonSet.
            self._add(wanted.INSTALLATIONS, self._cluster.list(wanted.INSTALLATIONS))
            whole = self._add(wanted.PODS, self._until_one_at_home()) and whole
        if not (whole or nodes or seen.daemonsets or seen.resources):
            raise self._refusals[0]
        seen.whole = whole
        return self._survey

    def _nodes(self) -> Iterator[Object]:
        """Yield labels and annotations of nodes; the rest of them is large."""
        for node in self._cluster.list(wanted.NODES, accept=METADATA_ONLY):
            yield {"apiVersion": "v1", "kind": "Node", "metadata": node["metadata"]}

    def _until_one_at_home(self) -> Iterator[Object]:
        """Yield pods with an address of their own, up to the first on an on-prem node."""
        labels = self._survey.seen.nodes.labels
        selector = wanted.PODS_WITH_AN_ADDRESS
        for pod in self._cluster.list(wanted.PODS, fieldSelector=selector):
            yield pod
            node = labels.get(pod["spec"].get("nodeName", ""), {})
            if node.get(self._cloud.key) not in self._cloud.values:
                return

    def _add(self, path: str, objects: Iterable[Object]) -> bool:
        """Keep objects, and tell whether they could be read."""
        try:
            for obj in objects:
                self._survey.add(obj)
        except ClusterError as error:
            if error.status is None:
                raise
            self._refused(path.rpartition("/")[2], error)
            return False
        return True

    def _refused(self, resource: str, error: ClusterError) -> None:
        self._refusals.append(error)
        why = "not installed" if error.status == HTTPStatus.NOT_FOUND else f"not read, {error}"
        self._survey.seen.notes.append(f"{resource}: {why}")


def _first_served(cluster: Cluster, paths: tuple[str, ...], refused: Refused) -> Iterator[Object]:
    """Yield a resource's objects from the first path that is served."""
    for path in paths:
        try:
            yield from cluster.list(path)
        except ClusterError as error:
            if error.status is None:
                raise
            if error.status == HTTPStatus.NOT_FOUND and path != paths[-1]:
                continue
            refused(path.rpartition("/")[2], error)
        return


def _one(cluster: Cluster, path: str, refused: Refused) -> Iterator[Object]:
    """Yield an object if it is there."""
    try:
        yield cluster.get(path)
    except ClusterError as error:
        if error.status is None:
            raise
        if error.status != HTTPStatus.NOT_FOUND:
            resource, name = path.split("/")[-2:]
            refused(f"{resource.removesuffix('s')} {name}", error)
