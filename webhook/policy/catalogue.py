"""The CNI add-ons hybrid-guard knows by itself: data, one entry an add-on.

A DaemonSet is known by its namespace and name. If no entry names it, the image of one of its
containers tells, by the last two parts of the repository (a mirror keeps those), in the
namespaces of that add-on only. What is unknown is left alone: keeping a data plane off a node by
mistake takes that node's network away. Deployments of an add-on are left alone too.

k3s and the plain bridge plug-ins have no object in the API, so there is nothing to match.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from webhook.policy.words import Network, Placement
from webhook.workloads import Workload, images


class Role(enum.Enum):
    """What an add-on is in a hybrid cluster, and so where it belongs in each network."""

    ON_PREM_NETWORK = "the on-prem data path and its companions"
    CLOUD_NETWORK = "Terway: the cloud nodes' data path"
    EVERYWHERE = "not a data path, or another cloud's: left alone"


PLACEMENTS: dict[Role, dict[Network, Placement]] = {
    Role.ON_PREM_NETWORK: {
        Network.OVERLAY: Placement.ANY,
        Network.BGP: Placement.ON_PREM,
        Network.HOST: Placement.ANY,
    },
    Role.CLOUD_NETWORK: dict.fromkeys(Network, Placement.CLOUD),
    Role.EVERYWHERE: dict.fromkeys(Network, Placement.ANY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """One add-on: its namespaces, the names of its DaemonSets (globs), its agent's images."""

    name: str
    role: Role
    namespaces: tuple[str, ...]
    daemonsets: tuple[str, ...]
    companions: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    def placement(self, network: Network) -> Placement:
        """Return where this add-on belongs in a network."""
        return PLACEMENTS[self.role][network]


_ON_PREM, _CLOUD, _LEAVE = Role.ON_PREM_NETWORK, Role.CLOUD_NETWORK, Role.EVERYWHERE
_SYSTEM = ("kube-system",)


def _addon(
    name: str,
    role: Role,
    namespaces: tuple[str, ...],
    daemonsets: str,
    companions: str = "",
    images: str = "",
) -> AddOn:
    return AddOn(
        name=name,
        role=role,
        namespaces=namespaces,
        daemonsets=tuple(daemonsets.split()),
        companions=tuple(companions.split()),
        images=tuple(images.split()),
    )


# Names before globs: the first entry that names a DaemonSet has it.
CATALOGUE: tuple[AddOn, ...] = (
    # The on-prem data paths.
    _addon(
        "calico", _ON_PREM, ("kube-system", "calico-system"),
        "calico-node calico-node-windows", "csi-node-driver", "calico/node",
    ),
    _addon(
        "canal", _ON_PREM, _SYSTEM, "canal canal-node rke2-canal", "", "rancher/hardened-calico",
    ),
    _addon(
        "flannel", _ON_PREM, ("kube-flannel", "kube-system"), "kube-flannel-ds kube-flannel-ds-*",
        "", "flannel/flannel flannel-io/flannel coreos/flannel google-containers/flannel"
        " rancher/mirrored-flannelcni-flannel",
    ),
    _addon(
        "cilium", _ON_PREM, ("kube-system", "cilium"), "cilium", "cilium-envoy cilium-node-init",
        "cilium/cilium",
    ),
    _addon("weave", _ON_PREM, _SYSTEM, "weave-net", "", "weaveworks/weave-kube"),
    _addon(
        "antrea", _ON_PREM, _SYSTEM, "antrea-agent", "antrea-agent-windows",
        "antrea/antrea-ubuntu antrea/antrea-agent-ubuntu",
    ),
    _addon(
        "kube-router", _ON_PREM, ("kube-system", "kube-router"), "kube-router", "",
        "cloudnativelabs/kube-router",
    ),
    # The speaker shares the agents' image and announces routes from labelled nodes: left alone.
    _addon("kube-ovn-speaker", _LEAVE, ("kube-system", "kube-ovn"), "kube-ovn-speaker"),
    _addon(
        "kube-ovn", _ON_PREM, ("kube-system", "kube-ovn"), "kube-ovn-cni",
        "ovs-ovn ovs-ovn-dpdk kube-ovn-pinger",
    ),
    _addon(
        "ovn-kubernetes", _ON_PREM, ("ovn-kubernetes", "openshift-ovn-kubernetes"),
        "ovnkube-node ovnkube-node-dpu ovnkube-node-dpu-host", "ovs-node ovn-ipsec",
    ),
    _addon("kindnet", _ON_PREM, _SYSTEM, "kindnet"),
    _addon("kopeio", _ON_PREM, _SYSTEM, "kopeio-networking-agent", "", "kopeio/networking-agent"),
    _addon("romana", _ON_PREM, _SYSTEM, "romana-agent", "", "romana/agent"),
    _addon("contiv", _ON_PREM, _SYSTEM, "contiv-netplugin", "", "contiv/netplugin"),
    # The clouds' own. terway-hybrid has the opposite role: it runs on-prem, so it is named apart.
    _addon(
        "terway-hybrid", _LEAVE, _SYSTEM, "terway-hybrid terway-hybrid-* terway-controlplane",
    ),
    _addon(
        "terway", _CLOUD, _SYSTEM,
        "terway terway-eni terway-eniip terway-windows terway-eni-windows terway-eniip-windows",
        "", "acs/terway",
    ),
    _addon("aws-node", _LEAVE, _SYSTEM, "aws-node"),
    _addon("azure", _LEAVE, _SYSTEM, "azure-cns azure-npm"),
    # Not a data path: wanted on both sides, or bound to hardware.
    _addon("kube-proxy", _LEAVE, _SYSTEM, "kube-proxy kube-proxy-*"),
    _addon("node-local-dns", _LEAVE, _SYSTEM, "node-local-dns"),
    _addon("multus", _LEAVE, _SYSTEM, "kube-multus-ds kube-multus-ds-*"),
    _addon("whereabouts", _LEAVE, _SYSTEM, "whereabouts"),
    _addon("spiderpool", _LEAVE, ("kube-system", "spiderpool"), "spiderpool-agent"),
    _addon("sriov-device-plugin", _LEAVE, _SYSTEM, "kube-sriov-device-plugin-*"),
    _addon("istio-cni", _LEAVE, ("istio-system", "kube-system"), "istio-cni-node"),
    _addon("linkerd-cni", _LEAVE, ("linkerd-cni",), "linkerd-cni"),
    _addon("submariner", _LEAVE, ("submariner-operator",), "submariner-*"),
)  # fmt: skip

NAMESPACES: tuple[str, ...] = tuple(
    sorted({namespace for addon in CATALOGUE for namespace in addon.namespaces})
)


def find(workload: Workload) -> tuple[AddOn, bool] | None:
    """Return the add-on a workload belongs to, and whether it is a companion, or None.

    DaemonSets only: the catalogue says nothing about Deployments.
    """
    namespace = workload.ref.namespace or ""
    if workload.kind.kind != "DaemonSet" or namespace not in NAMESPACES:
        return None
    name = workload.ref.name
    for addon in CATALOGUE:
        if namespace in addon.namespaces:
            if any(fnmatchcase(name, known) for known in addon.daemonsets):
                return addon, False
            if name in addon.companions:
                return addon, True
    return _by_image(workload, namespace)


def may_hold(workload: Workload) -> bool:
    """Tell whether images that were not read, beyond a bound, might name an add-on."""
    is_candidate = workload.kind.kind == "DaemonSet" and workload.ref.namespace in NAMESPACES
    return is_candidate and workload.beyond is not None


def _by_image(workload: Workload, namespace: str) -> tuple[AddOn, bool] | None:
    # Init containers may borrow an add-on's tools, so only the containers tell.
    repositories = set(map(repository, images(workload.pod_spec, "containers")))
    for addon in CATALOGUE:
        if namespace in addon.namespaces and not repositories.isdisjoint(addon.images):
            return addon, False
    return None


def repository(image: str) -> str:
    """Return the last two parts of an image's repository, without tag and digest."""
    name, _, _ = image.partition("@")
    return "/".join(re.sub(r":[^/]*$", "", name).split("/")[-2:])
