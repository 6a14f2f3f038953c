"""Kube-OVN: --network-type of its agent or its controller; the default is geneve.

(kube-ovn pkg/controller/config.go, argNetworkType.) A subnet with a VLAN is underlay whatever the
type says, and the speaker announces addresses by BGP while packets stay in the overlay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from webhook.detect.containers import started
from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import shown
from webhook.workloads import mapping_of

_MODES = {
    "geneve": Mode.OVERLAY, "vxlan": Mode.OVERLAY, "stt": Mode.OVERLAY, "vlan": Mode.NATIVE,
}  # fmt: skip
_FLAG = "network-type"


def read(scope: Scope) -> Reading:
    """Read the network type, from this DaemonSet or those it works with."""
    against = tuple(_against(scope))
    for name, pod_spec in _places(scope):
        kind = started(pod_spec, scope).text(_FLAG)
        if kind:
            mode = _MODES.get(kind.lower(), Mode.UNKNOWN)
            said = f"--{_FLAG}={shown(kind)} of {name}"
            return Reading(mode=mode, evidence=(said,), against=against, look=_look(mode))
    said = f"--{_FLAG} is not set: geneve is the default"
    return Reading(mode=Mode.OVERLAY, evidence=(said,), against=against, certain=False)


def _look(mode: Mode) -> str | None:
    known = mode is not Mode.UNKNOWN
    return None if known else "kubectl -n kube-system get deployment kube-ovn-controller -o yaml"


def _places(scope: Scope) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield pod specs that may carry the flag: its own, its siblings', the controller's."""
    yield scope.daemonset.ref.name, scope.daemonset.pod_spec
    own = [(one.location.file, one.ref.name, one.pod_spec) for one in scope.seen.daemonsets]
    beside = [(file, "kube-ovn-controller", spec) for file, spec in scope.seen.controllers]
    found = [(f, name, s) for f, name, s in (*own, *beside) if "kube-ovn" in name]
    near = [one for one in found if one[0] == scope.file]
    for _, name, pod_spec in near or found:
        yield name, pod_spec


def _against(scope: Scope) -> Iterator[str]:
    for subnet in scope.resources("Subnet"):
        vlan = mapping_of(subnet.get("spec")).get("vlan")
        if vlan:
            name = shown(mapping_of(subnet.get("metadata")).get("name"))
            yield f"Subnet {name} has vlan {shown(vlan)}: underlay there"
    if any("kube-ovn-speaker" in one.ref.name for one in scope.seen.daemonsets):
        yield "kube-ovn-speaker announces addresses by BGP"
