"""Which add-on a DaemonSet is.

Looser than the catalogue, which must not keep a stranger off a node: here a wrong guess shows up
as evidence. So namespaces do not matter, renamed DaemonSets are known by their images and their
containers' names, and whoever else writes /etc/cni/net.d is a CNI that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.detect.containers import containers
from webhook.detect.texts import word
from webhook.policy.catalogue import CATALOGUE, AddOn, Role, repository
from webhook.workloads import images, mapping_of, mappings

# Companions that move no packets: they are add-ons of their own here.
_HELPERS = frozenset({"csi-node-driver", "cilium-envoy", "cilium-node-init", "ovn-ipsec"})
# Other clouds' data paths; the rest of what the catalogue leaves alone is none.
_CLOUDS = frozenset({"aws-node", "azure-cns"})
# The network of on-prem nodes in a hybrid node pool; the policy leaves it to its vendor.
_HYBRID, _HYBRID_CONTROL = "terway-hybrid", "terway-controlplane"
# Names of containers that only this add-on has. Canal has two of them.
_CONTAINERS = {
    "calico-node": "calico", "kube-flannel": "flannel", "cilium-agent": "cilium",
    "kube-router": "kube-router", "antrea-agent": "antrea", "kindnet-cni": "kindnet",
    "weave-npc": "weave", "ovnkube-node": "ovn-kubernetes", "cni-server": "kube-ovn",
    "networking-agent": "kopeio", "aws-node": "aws-node", "openvswitch": "kube-ovn",
    "pinger": "kube-ovn",
}  # fmt: skip
_CANAL = {"calico", "flannel"}
_CONFIGURATION = re.compile(r"^/etc/cni(/net\.d)?/?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An add-on by name, and what it is to the on-prem network.

    `catalogued`: the catalogue has it. Whoever else writes the CNI configuration is a `stranger`.
    """

    addon: str
    role: Role
    catalogued: bool = True
    stranger: bool = False


def identify(name: str, pod_spec: Mapping[str, Any]) -> Identity:
    """Name the add-on of a DaemonSet; one that is no CNI's goes by its own name."""
    addon = _by_name(name) or _by_image(pod_spec) or _by_container(pod_spec)
    if addon is None:
        stranger = _writes_cni_configuration(pod_spec)
        return Identity(addon=name, role=Role.EVERYWHERE, catalogued=False, stranger=stranger)
    if name in _HELPERS:
        return Identity(addon=name, role=Role.EVERYWHERE)
    if addon.name == _HYBRID and name != _HYBRID_CONTROL:
        return Identity(addon=addon.name, role=Role.ON_PREM_NETWORK)
    if addon.role is Role.EVERYWHERE:
        cloud = _CLOUDS & {name, addon.name}
        role = Role.CLOUD_NETWORK if cloud else Role.EVERYWHERE
        return Identity(addon=min(cloud, default=name), role=role)
    return Identity(addon=addon.name, role=addon.role)


def _by_name(name: str) -> AddOn | None:
    for addon in CATALOGUE:
        if addon.is_named(name) or name in addon.companions:
            return addon
    return None


def _by_image(pod_spec: Mapping[str, Any]) -> AddOn | None:
    found = set(map(repository, images(dict(pod_spec), "containers")))
    return _one({addon.name: addon for addon in CATALOGUE if found & set(addon.images)})


def _by_container(pod_spec: Mapping[str, Any]) -> AddOn | None:
    found = {_CONTAINERS.get(word(one.get("name"))) for one in containers(pod_spec)}
    return _one({addon.name: addon for addon in CATALOGUE if addon.name in found})


def _one(found: dict[str, AddOn]) -> AddOn | None:
    """Return the add-on that was found; Calico and Flannel in one pod are Canal."""
    if found.keys() >= _CANAL:
        return next(addon for addon in CATALOGUE if addon.name == "canal")
    return next(iter(found.values()), None)


def _writes_cni_configuration(pod_spec: Mapping[str, Any]) -> bool:
    paths = (mapping_of(v.get("hostPath")).get("path") for v in mappings(pod_spec.get("volumes")))
    return any(isinstance(path, str) and _CONFIGURATION.match(path) for path in paths)
