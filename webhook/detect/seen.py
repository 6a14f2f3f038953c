"""What detection keeps of a cluster or of files, and how a DaemonSet finds its settings there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.detect.containers import Started, mounted, started
from webhook.detect.texts import word
from webhook.findings import Location, ObjectRef

BACKEND_TYPE = "flannel.alpha.coreos.com/backend-type"
ROUTE_REFLECTOR = "projectcalico.org/RouteReflectorClusterID"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSet:
    """A DaemonSet's pods. `scheduled` is how many its controller wants, where that is known."""

    ref: ObjectRef
    location: Location
    pod_spec: Mapping[str, Any]
    scheduled: int | None = None
    by_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMap:
    """A ConfigMap's texts."""

    ref: ObjectRef
    file: str | None
    data: Mapping[str, str]


@dataclass(slots=True)
class Nodes:
    """Nodes by name, the two annotations that tell of a network, and where pods run."""

    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    backends: dict[str, str] = field(default_factory=dict)
    reflectors: list[str] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    pods: int = 0
    pod_network: set[str] = field(default_factory=set)

    def add(self, name: str, labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> None:
        """Keep a node."""
        self.labels[name] = {key: word(value) for key, value in labels.items()}
        if annotations.get(BACKEND_TYPE):
            self.backends[name] = word(annotations[BACKEND_TYPE])
        if annotations.get(ROUTE_REFLECTOR):
            self.reflectors.append(name)
        if any(key.startswith(("k3s.io/", "rke2.io/")) for key in annotations):
            self.embedded.append(name)

    def add_pod(self, node: str, *, host_network: bool) -> None:
        """Keep that a pod runs on a node, with an address of its own or the node's."""
        self.pods += 1
        if not host_network:
            self.pod_network.add(node)


@dataclass(slots=True)
class Seen:
    """All that was kept. `notes` tell what could not be looked at.

    `whole`: every DaemonSet and every pod of a cluster was asked for; None where nobody knows.
    """

    daemonsets: list[DaemonSet] = field(default_factory=list)
    config_maps: list[ConfigMap] = field(default_factory=list)
    resources: list[tuple[str | None, str, Mapping[str, Any]]] = field(default_factory=list)
    controllers: list[tuple[str | None, Mapping[str, Any]]] = field(default_factory=list)
    nodes: Nodes = field(default_factory=Nodes)
    notes: list[str] = field(default_factory=list)
    whole: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one DaemonSet can see: its own file first, then the others.

    Several files may describe several clusters, so what stands beside it counts before what
    stands elsewhere, and what two other files say differently counts for nothing.
    """

    seen: Seen
    daemonset: DaemonSet

    @property
    def file(self) -> str | None:
        """The file of the DaemonSet."""
        return self.daemonset.location.file

    def started(self) -> Started:
        """Return the environment and the flags of its containers."""
        return started(self.daemonset.pod_spec, self)

    def data(self, name: str) -> Mapping[str, str] | None:
        """Return a ConfigMap's data by its name; None if it is not here, or not only one."""
        found = self._agreed([one for one in self._reachable() if one.ref.name == name])
        return None if found is None else found.data

    def text(self, key: str, usual: str) -> tuple[str, str] | None:
        """Return a ConfigMap's text under a key, and the ConfigMap's name, or None.

        The ConfigMaps that the pods mount come first, then one of the usual name, also with
        something before or behind it, as kustomize writes.
        """
        for name in (*mounted(self.daemonset.pod_spec), usual):
            data = self.data(name)
            if data is not None and key in data:
                return data[key], name
        found = self._agreed(
            [one for one in self._reachable() if usual in one.ref.name and key in one.data]
        )
        return None if found is None else (found.data[key], found.ref.name)

    def resources(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the resources of a kind: those of its own file, else all."""
        found = [(file, obj) for file, of, obj in self.seen.resources if of == kind]
        own = [obj for file, obj in found if file == self.file]
        return own or [obj for _, obj in found]

    def _reachable(self) -> Iterator[ConfigMap]:
        own = self.daemonset.ref.namespace
        for config_map in self.seen.config_maps:
            if own is None or config_map.ref.namespace in (own, None):
                yield config_map

    def _agreed(self, found: list[ConfigMap]) -> ConfigMap | None:
        """Return the one that all agree on: those of its own file, or all if there are none."""
        counted = [one for one in found if one.file == self.file] or found
        if not counted or any(one.data != counted[0].data for one in counted):
            return None
        return counted[0]
