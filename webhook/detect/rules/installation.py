"""Tigera's Installation: what the operator makes of Calico, with its defaults.

Pools: one of IP-in-IP for Calico's own CNI, VXLAN on EKS; an empty list makes none. BGP: on for
Calico's own CNI, off on EKS (operator pkg/controller/ippool/defaults.go and
pkg/controller/installation/core_controller.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.detect.rules.pools import Encapsulation, Pool, without_ipv6
from webhook.detect.texts import shown, word
from webhook.workloads import mapping_of, mappings

_ENCAPSULATIONS = {
    "IPIP": Encapsulation.ALWAYS, "VXLAN": Encapsulation.ALWAYS,
    "IPIPCrossSubnet": Encapsulation.CROSS_SUBNET, "VXLANCrossSubnet": Encapsulation.CROSS_SUBNET,
    "None": Encapsulation.NEVER,
}  # fmt: skip
_CALICO = "Calico"
# The CNI of managed clusters, where the Installation names none.
_CNI_OF = {"EKS": "AmazonVPC", "GKE": "GKE", "AKS": "AzureVNET"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an Installation asks for. `other_cni` names a CNI that is not Calico's.

    `by_default`: it names no pools, so that pools that exist already would stay instead.
    """

    other_cni: str | None = None
    backend: str = "bird"
    by_default: bool = False
    pools: list[Pool] = field(default_factory=list)


def read(objects: list[Mapping[str, Any]]) -> Installed | None:
    """Read the Installation; None where there is none. `overlay` is laid over `default`."""
    if not objects:
        return None
    named = {word(mapping_of(obj.get("metadata")).get("name")): obj for obj in objects}
    over, base = mapping_of(named.get("overlay")), named.get("default", objects[0])
    spec = {**_spec(base), **_spec(over)}
    provider = word(spec.get("kubernetesProvider"))
    cni = word(mapping_of(spec.get("cni")).get("type")) or _CNI_OF.get(provider, _CALICO)
    if cni != _CALICO:
        return Installed(other_cni=shown(cni))
    network = mapping_of(spec.get("calicoNetwork"))
    default = "Disabled" if provider == "EKS" else "Enabled"
    bgp = word(network.get("bgp")) or default
    return Installed(
        backend="bird" if bgp == "Enabled" else "none",
        pools=_pools(network, provider),
        by_default=network.get("ipPools") is None,
    )


def _spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the operator computed, else what was written."""
    computed = mapping_of(mapping_of(obj.get("status")).get("computed"))
    return computed or mapping_of(obj.get("spec"))


def _pools(network: Mapping[str, Any], provider: str) -> list[Pool]:
    written = network.get("ipPools")
    if written is None:
        kind = "VXLAN" if provider == "EKS" else "IPIP"
        text = f"Installation: no ipPools, one of {kind} is the default"
        return [Pool(text=text, encapsulation=_ENCAPSULATIONS[kind])]
    return [_pool(pool) for pool, _ in without_ipv6([(p, dict(p)) for p in mappings(written)])]


def _pool(pool: Mapping[str, Any]) -> Pool:
    written = word(pool.get("encapsulation"))
    default = "None" if ":" in word(pool.get("cidr")) else "IPIP"
    kind = _ENCAPSULATIONS.get(written or default, Encapsulation.UNKNOWN)
    said = shown(written) if written else f"not set: {default} is the default"
    return Pool(text=f"Installation: ipPools encapsulation {said}", encapsulation=kind)
