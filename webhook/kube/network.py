"""Look at a live cluster for detection: what cannot be read is a note, not the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from webhook.detect import Survey, wanted
from webhook.findings import NOWHERE, Location
from webhook.kube.cluster import METADATA_ONLY, Cluster, ClusterError
from webhook.placement.model import CloudNodes

_NOT_THERE = HTTPStatus.NOT_FOUND


def look(cluster: Cluster, cloud: CloudNodes, location: Location = NOWHERE) -> Survey:
    """Read the few kinds that tell of the network.

    Raises ClusterError where the API server does not answer, or refuses everything.
    """
    return _Look(cluster, cloud, location).survey()


class _Look:
    """One look at a cluster."""

    def __init__(self, cluster: Cluster, cloud: CloudNodes, location: Location) -> None:
        self._cluster = cluster
        self._cloud = cloud
        self._location = location
        self._survey = Survey()
        self._refusals: list[ClusterError] = []
        self._answers = 0

    def survey(self) -> Survey:
        seen = self._survey.seen
        whole = self._list((wanted.DAEMONSETS,))
        self._nodes()
        for paths in wanted.resources(seen):
            self._list(paths)
        for namespace, name in wanted.settings(seen):
            self._get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        for namespace in wanted.controllers(seen):
            self._get(f"/apis/apps/v1/namespaces/{namespace}/deployments/kube-ovn-controller")
        if not self._answers and self._refusals:
            raise self._refusals[0]
        if not wanted.settings(seen):
            whole = self._pods() and whole
        seen.whole = whole
        return self._survey

    def _list(self, paths: tuple[str, ...]) -> bool:
        """Read a resource by the first path that serves it."""
        for path in paths:
            try:
                self._add(self._cluster.list(path))
            except ClusterError as error:
                if error.status == _NOT_THERE and path != paths[-1]:
                    continue
                return self._refused(path, error)
            return True
        return False

    def _get(self, path: str) -> None:
        try:
            self._add([self._cluster.get(path)])
        except ClusterError as error:
            if error.status != _NOT_THERE:
                self._refused(path, error)

    def _nodes(self) -> None:
        """Read labels and annotations of nodes; the rest of them is large."""
        try:
            self._add(
                {"apiVersion": "v1", "kind": "Node", "metadata": node["metadata"]}
                for node in self._cluster.list(wanted.NODES, accept=METADATA_ONLY)
            )
        except ClusterError as error:
            self._refused(wanted.NODES, error)

    def _pods(self) -> bool:
        """Look for one pod with an address of its own on an on-prem node."""
        try:
            self._add(self._until_one_at_home())
        except ClusterError as error:
            return self._refused(wanted.PODS, error)
        return True

    def _until_one_at_home(self) -> Iterator[dict[str, Any]]:
        labels = self._survey.seen.nodes.labels
        selector = wanted.PODS_WITH_AN_ADDRESS
        for pod in self._cluster.list(wanted.PODS, fieldSelector=selector):
            yield pod
            node = labels.get(pod["spec"].get("nodeName", ""), {})
            if node.get(self._cloud.key) not in self._cloud.values:
                return

    def _add(self, objects: Iterable[dict[str, Any]]) -> None:
        for obj in objects:
            self._survey.add(obj, self._location)
        self._answers += 1

    def _refused(self, path: str, error: ClusterError) -> bool:
        """Note what could not be read. Raises where the API server does not answer at all."""
        if error.status is None:
            raise error
        self._refusals.append(error)
        resource = path.rpartition("/")[2]
        why = "not installed" if error.status == _NOT_THERE else f"not read, {error}"
        self._survey.seen.notes.append(f"{resource}: {why}")
        return False
