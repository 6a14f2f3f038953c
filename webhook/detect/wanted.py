"""What detection needs to see of a live cluster: few kinds, and of ConfigMaps only those in use.

Each resource is a row of API paths, any of which may serve it.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.detect.containers import config_maps
from webhook.detect.identify import identify
from webhook.detect.seen import Seen
from webhook.policy.catalogue import Role

DAEMONSETS = "/apis/apps/v1/daemonsets"
NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
PODS_WITH_AN_ADDRESS = "spec.hostNetwork=false,status.phase=Running"

INSTALLATIONS = "/apis/operator.tigera.io/v1/installations"
_CALICO = ("/apis/crd.projectcalico.org/v1", "/apis/projectcalico.org/v3")
_RESOURCES: dict[str, tuple[tuple[str, ...], ...]] = {
    "calico": (
        *(
            tuple(f"{group}/{resource}" for group in _CALICO)
            for resource in ("ippools", "bgpconfigurations", "bgppeers", "felixconfigurations")
        ),
        (INSTALLATIONS,),
    ),
    "cilium": (
        ("/apis/cilium.io/v2/ciliumbgpclusterconfigs",
         "/apis/cilium.io/v2alpha1/ciliumbgpclusterconfigs"),
        ("/apis/cilium.io/v2alpha1/ciliumbgppeeringpolicies",),
        ("/apis/cilium.io/v2/ciliumnodeconfigs", "/apis/cilium.io/v2alpha1/ciliumnodeconfigs"),
    ),
    "antrea": (("/apis/crd.antrea.io/v1alpha1/bgppolicies",),),
    "kube-ovn": (("/apis/kubeovn.io/v1/subnets",),),
    "ovn-kubernetes": (("/apis/k8s.ovn.org/v1/routeadvertisements",),),
}  # fmt: skip
USUAL = {
    "calico": "calico-config", "canal": "canal-config", "cilium": "cilium-config",
    "flannel": "kube-flannel-cfg", "antrea": "antrea-config",
}  # fmt: skip


def resources(seen: Seen) -> Iterator[tuple[str, ...]]:
    """Yield the resources of the add-ons that are there."""
    for addon in sorted({addon for addon, _, _ in _data_paths(seen)}):
        yield from _RESOURCES.get(addon, ())


def settings(seen: Seen) -> list[tuple[str, str]]:
    """Return namespace and name of the ConfigMaps that data paths read."""
    found = {
        (namespace, name)
        for addon, namespace, names in _data_paths(seen)
        for name in (*names, USUAL.get(addon, ""))
        if name
    }
    return sorted(found)


def controllers(seen: Seen) -> list[str]:
    """Return the namespaces in which Kube-OVN's controller has its flags."""
    return sorted({ns for addon, ns, _ in _data_paths(seen) if addon == "kube-ovn"})


def _data_paths(seen: Seen) -> Iterator[tuple[str, str, list[str]]]:
    for one in seen.daemonsets:
        identity = identify(one.ref.name, one.pod_spec)
        if identity.role is Role.ON_PREM_NETWORK:
            yield identity.addon, one.ref.namespace or "default", list(config_maps(one.pod_spec))
