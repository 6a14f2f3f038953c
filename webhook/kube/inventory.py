"""What an audit looks at in a live cluster; what may not be read is noted, and is not the end.

Needs `list` on the kinds below, and `get` for single objects of them. Never reads a Secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from webhook.detect import Survey
from webhook.eni.fields import CALICO_CRDS, CALICO_GROUP
from webhook.kube import network
from webhook.kube.cluster import METADATA_ONLY, Cluster, ClusterError
from webhook.kube.owners import Owners
from webhook.owners import MADE, Forgery, disowned
from webhook.placement import volumes
from webhook.policy.model import Policy
from webhook.workloads import BUILTIN, ShapeError, WorkloadKind, read

Object = dict[str, Any]
Watch = Callable[[str, int, int], object]
"""Hears a resource's name, how many of its objects were read, and how many are still to come."""

_CORE = "/api/v1"
_STORAGE = (
    f"{_CORE}/persistentvolumeclaims",
    f"{_CORE}/persistentvolumes",
    "/apis/storage.k8s.io/v1/storageclasses",
)
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WAITING, _BOUND = "spec.nodeName=", "spec.nodeName!="  # a pod that has its node stays there
_POD = next(kind for kind in BUILTIN if kind.kind == "Pod")
_FEW = 50  # objects that are read one by one rather than with all others of their kind


class Inventory:
    """One walk through a cluster.

    `blind`: the resources that could not be read, and why. `answers`: how many could, of those that
    are judged. `forgeries`: the owners that are none.
    """

    def __init__(self, cluster: Cluster, policy: Policy, watch: Watch) -> None:
        self.blind: dict[str, ClusterError] = {}
        self.answers = 0
        self.forgeries: list[Forgery] = []
        self._has_volumes = False
        self._cluster = cluster
        self._policy = policy
        self._watch = watch
        self._survey = Survey(others=False)
        self._owners = Owners(policy.kinds)

    def namespaces(self) -> Iterator[Object]:
        """Yield the namespaces with their labels."""
        for found in self._list(f"{_CORE}/namespaces", accept=METADATA_ONLY):
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": found["metadata"]}

    def objects(self) -> Iterator[Object]:
        """Yield what is judged, and what tells about it. Raises where nothing may be read."""
        # Owners come before what they make.
        for kind in sorted(self._policy.kinds, key=lambda kind: kind.kind in MADE):
            yield from self._workloads(kind)
        yield from self._forged()
        yield from self._config_maps()
        if self.blind and not self.answers:
            raise next(iter(self.blind.values()))
        for path in _STORAGE if self._has_volumes else ():
            yield from self._list(path)
        yield from self._crds()
        for found in self._list(f"{_CORE}/nodes", accept=METADATA_ONLY):
            yield {"apiVersion": "v1", "kind": "Node", "metadata": found["metadata"]}
        yield from network.settings(self._cluster, self._survey.seen, self._unread)

    def _unread(self, resource: str, error: ClusterError) -> None:
        """Note what could not be read; what is not installed is no loss."""
        if error.status != HTTPStatus.NOT_FOUND:
            self.blind.setdefault(resource, error)

    def _workloads(self, kind: WorkloadKind) -> Iterator[Object]:
        for group in _paths(kind):
            self.blind.pop(kind.resource, None)
            for obj in self._pods(kind) if kind == _POD else self._standing(kind, group):
                self._has_volumes = self._has_volumes or _has_volumes(obj, kind)
                self._survey.add(obj)
                yield obj
            refusal = self.blind.get(kind.resource)
            if refusal is None or refusal.status != HTTPStatus.NOT_FOUND:
                break
        refusal = self.blind.get(kind.resource)
        if refusal is None or refusal.status == HTTPStatus.NOT_FOUND:
            self._owners.read.add(kind)
        self.answers += refusal is None

    def _standing(self, kind: WorkloadKind, group: str) -> Iterator[Object]:
        """Yield the objects that stand for themselves, and remember all as owners."""
        for found in self._list(f"{group}/{kind.resource}"):
            self._owners.add(kind, found)
            if self._stands(kind, found["metadata"]):
                yield found

    def _stands(self, kind: WorkloadKind, metadata: Object) -> bool:
        """Tell whether no owner's template stands for an object; look at the owner if one does."""
        by = self._owners.claimed(kind, metadata)
        if by is None:
            return True
        if by not in self._policy.kinds and by not in self._owners.read:
            self._list_foreign(by)
        if by in self._owners.read:
            self._owners.check(kind, metadata)
        return False

    def _list_foreign(self, kind: WorkloadKind) -> None:
        """List the owners of a kind that policy does not name, once somebody names one.

        Where no such kind is served, nobody owns anything by it.
        """
        resource = f"{kind.resource}.{kind.group}"
        if resource in self.blind:
            return
        for group in _paths(kind):
            try:
                for found in self._cluster.list(f"{group}/{kind.resource}"):
                    self._owners.add(kind, found)
            except ClusterError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    continue
                if error.status is None:
                    raise
                self.blind[resource] = error
                return
        self._owners.read.add(kind)

    def _pods(self, kind: WorkloadKind) -> Iterator[Object]:
        """Yield the waiting pods that stand for themselves; of those that have a node, the owners.

        There are very many: their metadata is read, and the few that are judged again as a whole.
        """
        path = f"{_CORE}/{kind.resource}"
        names = set()
        for found in self._list(path, accept=METADATA_ONLY, fieldSelector=_WAITING):
            if self._stands(kind, found["metadata"]):
                names.add((found["metadata"]["namespace"], found["metadata"]["name"]))
        if len(names) > _FEW:
            for found in self._list(path, fieldSelector=_WAITING):
                if (found["metadata"]["namespace"], found["metadata"]["name"]) in names:
                    yield found
        else:
            for namespace, name in sorted(names):
                one = f"{_CORE}/namespaces/{namespace}/{kind.resource}/{name}"
                yield from self._get(one, kind.resource)
        for found in self._list(path, accept=METADATA_ONLY, fieldSelector=_BOUND):
            self._stands(kind, found["metadata"])

    def _forged(self) -> Iterator[Object]:
        """Yield what names an owner that is none, as if it named none."""
        with self._tolerant("owners"):
            for obj, forgery in self._owners.forgeries(self._cluster):
                self.forgeries.append(forgery)
                yield disowned(obj)

    def _config_maps(self) -> Iterator[Object]:
        """Yield eni-config and its overrides; the first also to somebody who may read it alone."""
        eni = self._policy.eni
        path = f"{_CORE}/namespaces/{eni.namespace}/configmaps"
        before = len(self.blind)
        yield from self._list(path)
        if len(self.blind) > before:
            alone = list(self._get(f"{path}/{eni.name}", f"configmap {eni.name}"))
            self.answers += bool(alone)
            yield from alone
        else:
            self.answers += 1

    def _crds(self) -> Iterator[Object]:
        """Yield Calico's definitions: of all others the names are enough."""
        wanted = {f"{plural}.{CALICO_GROUP}" for plural in CALICO_CRDS}
        for found in list(self._list(_CRDS, accept=METADATA_ONLY)):
            if found["metadata"]["name"] in wanted:
                yield from self._get(f"{_CRDS}/{found['metadata']['name']}", _resource(_CRDS))

    def _list(self, path: str, **options: Any) -> Iterator[Object]:
        resource = _resource(path)
        read = total = 0

        def hear(left: int) -> None:
            nonlocal total
            total = read + left

        with self._tolerant(resource):
            for found in self._cluster.list(path, left=hear, **options):
                read += 1
                self._watch(resource, read, total)
                yield found

    def _get(self, path: str, resource: str) -> Iterator[Object]:
        with self._tolerant(resource):
            yield self._cluster.get(path)

    @contextmanager
    def _tolerant(self, resource: str) -> Iterator[None]:
        """Note a refusal. Raises where the API server does not answer at all."""
        try:
            yield
        except ClusterError as error:
            if error.status is None:
                raise
            self.blind.setdefault(resource, error)


def _paths(kind: WorkloadKind) -> list[str]:
    """Return the API paths of a kind's versions, the first that is served to be taken."""
    return [f"/apis/{kind.group}/{one}" if kind.group else f"/api/{one}" for one in kind.versions]


def _has_volumes(obj: Object, kind: WorkloadKind) -> bool:
    """Tell whether a workload's pods bring volumes with a place of their own."""
    try:
        workload = read(obj, (kind,))
    except ShapeError:
        return False
    return workload is not None and next(volumes.wanted(workload), None) is not None


def _resource(path: str) -> str:
    return path.rpartition("/")[2]
