"""How each add-on moves packets: a module an add-on, with the sources of what it reads.

Each has `read(scope)`, from a DaemonSet with all it can see to a Reading.
"""

from collections.abc import Callable

from webhook.detect.model import Reading
from webhook.detect.rules import (
    antrea,
    calico,
    canal,
    cilium,
    fixed,
    flannel,
    kube_ovn,
    kube_router,
)
from webhook.detect.seen import Scope

RULES: dict[str, Callable[[Scope], Reading]] = {
    "antrea": antrea.read,
    "calico": calico.read,
    "canal": canal.read,
    "cilium": cilium.read,
    "flannel": flannel.read,
    "kindnet": fixed.kindnet,
    "kopeio": fixed.kopeio,
    "kube-ovn": kube_ovn.read,
    "kube-router": kube_router.read,
    "ovn-kubernetes": fixed.ovn_kubernetes,
    "weave": fixed.weave,
}
