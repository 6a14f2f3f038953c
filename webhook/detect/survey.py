"""All objects go in, one by one; what matters to detection is kept, and at the end concluded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.detect import conclude
from webhook.detect.identify import identify
from webhook.detect.model import Detection
from webhook.detect.seen import ConfigMap, DaemonSet, Seen
from webhook.detect.texts import word
from webhook.findings import NOWHERE, Location
from webhook.placement.model import CloudNodes
from webhook.policy.catalogue import NAMESPACES
from webhook.workloads import find_kind, mapping_of, mappings, ref_of

# Resources that say how pods are networked: kind and the end of its API group.
_RESOURCES = {
    ("IPPool", "projectcalico.org"), ("BGPConfiguration", "projectcalico.org"),
    ("BGPPeer", "projectcalico.org"), ("FelixConfiguration", "projectcalico.org"),
    ("Node", "projectcalico.org"), ("Installation", "operator.tigera.io"),
    ("CiliumBGPPeeringPolicy", "cilium.io"), ("CiliumBGPClusterConfig", "cilium.io"),
    ("CiliumBGPNodeConfig", "cilium.io"), ("CiliumNodeConfig", "cilium.io"),
    ("BGPPolicy", "antrea.io"),
    ("RouteAdvertisements", "ovn.org"), ("Subnet", "kubeovn.io"),
}  # fmt: skip
# What makes a ConfigMap worth keeping wherever it is.
_KEYS = frozenset({
    "net-conf.json", "cni_network_config", "calico_backend", "antrea-agent.conf", "routing-mode",
    "tunnel", "tunnel-protocol",
})  # fmt: skip
# Of other ConfigMaps in a CNI's namespace, which its environment may refer to, so many characters.
_OTHER_TEXTS = 4 * 1024 * 1024
_CREDENTIALS = "eni_conf"  # such a ConfigMap holds credentials and says nothing about the network


def _nowhere() -> Location:
    return NOWHERE


def detect(
    objects: Iterable[Mapping[str, Any]], *, cloud_nodes: CloudNodes | None = None
) -> Detection:
    """Tell which network a set of objects makes. Never raises, whatever shape they have."""
    survey = Survey()
    for obj in objects:
        survey.add(obj)
    return survey.detection(cloud_nodes)


@dataclass(slots=True)
class Survey:
    """What was seen so far. Objects of other kinds leave nothing behind.

    `others`: DaemonSets that are no network's are kept, too, to be listed.
    """

    others: bool = True
    seen: Seen = field(default_factory=Seen)
    _room: int = _OTHER_TEXTS

    def add(self, obj: Mapping[str, Any], place: Callable[[], Location] = _nowhere) -> None:
        """Keep what an object has to say; the file it stands in tells whose settings are whose.

        `place` is asked for what is kept alone: finding a line takes time.
        """
        api_version, kind = obj.get("apiVersion"), obj.get("kind")
        if not isinstance(api_version, str) or not isinstance(kind, str):
            return
        if kind.endswith("List") and "items" in obj:
            for item in mappings(obj["items"]):
                self.add(item, place)
        group = api_version.rpartition("/")[0]
        if (kind, ".".join(group.split(".")[-2:])) in _RESOURCES or (kind, group) in _RESOURCES:
            self.seen.resources.append((place().file, kind, obj))
        elif kind == "DaemonSet" and find_kind(api_version, kind):
            self._daemonset(obj, place)
        elif kind == "Deployment" and "kube-ovn-controller" in ref_of(dict(obj)).name:
            self.seen.controllers.append((place().file, _pod_spec(obj)))
        elif kind == "ConfigMap" and not group:
            self._config_map(obj, place)
        elif kind in ("Node", "Pod") and not group:
            self._node_or_pod(kind, obj)

    def detection(self, cloud_nodes: CloudNodes | None = None) -> Detection:
        """Conclude from what was seen."""
        return conclude.conclude(self.seen, cloud_nodes or CloudNodes())

    def _daemonset(self, obj: Mapping[str, Any], place: Callable[[], Location]) -> None:
        ref, pod_spec = ref_of(dict(obj)), _pod_spec(obj)
        identity = identify(ref.name, pod_spec)
        if not (self.others or identity.catalogued or identity.stranger):
            return
        status = mapping_of(obj.get("status"))
        # The API server writes 0 before the controller has counted.
        count = status.get("desiredNumberScheduled") if status.get("observedGeneration") else None
        owners = mappings(mapping_of(obj.get("metadata")).get("ownerReferences"))
        self.seen.daemonsets.append(
            DaemonSet(
                ref=ref,
                location=place(),
                pod_spec=pod_spec,
                scheduled=count if type(count) is int else None,
                by_operator=any(owner.get("kind") == "Installation" for owner in owners),
            )
        )

    def _config_map(self, obj: Mapping[str, Any], place: Callable[[], Location]) -> None:
        ref, data = ref_of(dict(obj)), mapping_of(obj.get("data"))
        if _CREDENTIALS in data:
            return
        telling = not _KEYS.isdisjoint(data)
        if telling or (ref.namespace in NAMESPACES and self._room > 0):
            values = {key: word(value) for key, value in data.items()}
            self._room -= 0 if telling else sum(map(len, values.values()))
            self.seen.config_maps.append(ConfigMap(ref=ref, file=place().file, data=values))

    def _node_or_pod(self, kind: str, obj: Mapping[str, Any]) -> None:
        metadata, spec = mapping_of(obj.get("metadata")), mapping_of(obj.get("spec"))
        nodes = self.seen.nodes
        if kind == "Node":
            labels, annotations = metadata.get("labels"), metadata.get("annotations")
            nodes.add(word(metadata.get("name")), mapping_of(labels), mapping_of(annotations))
        elif spec.get("nodeName") and mapping_of(obj.get("status")).get("phase") == "Running":
            nodes.add_pod(word(spec["nodeName"]), host_network=spec.get("hostNetwork") is True)


def _pod_spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    template = mapping_of(mapping_of(obj.get("spec")).get("template"))
    return mapping_of(template.get("spec"))
