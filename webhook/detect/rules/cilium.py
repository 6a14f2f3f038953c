"""Cilium: cilium-config, with the agent's own flags and environment in front of it.

Since 1.14 `routing-mode` and `tunnel-protocol`, before `tunnel` (gone in 1.15, cilium PR 29053):
the new keys are read first. Without either the default is encapsulation. In native routing, what
makes the routes decides: BGP, direct routes between neighbours, a cloud's IPAM, or a router.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webhook.detect.containers import Started
from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import is_placeholder, shown, truth, word
from webhook.workloads import mapping_of

_CONFIG = "cilium-config"
_PROTOCOLS = {"vxlan", "geneve"}
_CLOUD_IPAM = {"eni", "azure", "alibabacloud"}
_CHAINED = {"", "none", "portmap"}  # any other mode leaves the network to another CNI
_LOOK = "kubectl -n kube-system get configmap cilium-config -o yaml"


@dataclass(frozen=True, slots=True)
class _Options:
    """The agent's options: a flag, else CILIUM_..., else the key of cilium-config."""

    started: Started
    data: Mapping[str, str]

    def get(self, key: str) -> str:
        """Return an option's value, lower-cased; empty where it is not set."""
        flag = self.started.text(key)
        variable = self.started.env.get(f"CILIUM_{key.upper().replace('-', '_')}")
        if flag is not None:
            value = flag or "true"
        elif variable is not None and variable.value is not None:
            value = variable.value
        else:
            value = self.data.get(key, "")
        return value.strip().lower()


def read(scope: Scope) -> Reading:
    """Read whether packets are encapsulated, and if not, who makes the routes."""
    started, data = scope.started(), _config(scope)
    options = _Options(started, data or {})
    if data is None and not options.get("routing-mode") and not options.get("tunnel"):
        why = f"no ConfigMap {_CONFIG} among these objects"
        return Reading(mode=Mode.UNKNOWN, evidence=(why,), look=_LOOK)
    chained = options.get("cni-chaining-mode")
    if chained not in _CHAINED:
        why = f"cni-chaining-mode {shown(chained)}: another CNI moves the packets"
        return Reading(mode=Mode.POLICY_ONLY, evidence=(why,))
    against = _by_node(scope)
    routing, said = _routing(options)
    if routing is None:
        return Reading(mode=Mode.UNKNOWN, evidence=(said,), look=_LOOK)
    if routing == "tunnel":
        evidence = [said]
        if truth(options.get("enable-bgp-control-plane")):
            evidence.append("its BGP control plane announces load balancers only")
        certain = bool(options.get("routing-mode") or options.get("tunnel"))
        return Reading(
            mode=Mode.OVERLAY, evidence=tuple(evidence), against=against, certain=certain
        )
    mode, why = _native(options, scope)
    return Reading(mode=mode, evidence=(said, why), against=against)


def _config(scope: Scope) -> Mapping[str, str] | None:
    data = scope.data(_CONFIG)
    for key in ("routing-mode", "tunnel", "ipam"):
        if data is None and (found := scope.text(key, _CONFIG)):
            data = scope.data(found[1])
    return data


def _routing(options: _Options) -> tuple[str | None, str]:
    """Return `tunnel` or `native`, and what says so; None where that is no word of Cilium's."""
    mode, protocol = options.get("routing-mode"), options.get("tunnel-protocol")
    old = options.get("tunnel")
    if mode in ("tunnel", "native"):
        return mode, f"routing-mode {mode}" + (f", {shown(protocol)}" if protocol else "")
    if mode:
        return None, _odd("routing-mode", mode)
    if old == "disabled":
        return "native", "tunnel disabled"
    if old in _PROTOCOLS:
        return "tunnel", f"tunnel {old}"
    if old:
        return None, _odd("tunnel", old)
    return "tunnel", "neither routing-mode nor tunnel is set: encapsulation is the default"


def _odd(key: str, value: str) -> str:
    why = "a template that is not rendered" if is_placeholder(value) else "not a value of Cilium's"
    return f"{key} {shown(value)}: {why}"


def _native(options: _Options, scope: Scope) -> tuple[Mode, str]:
    for key in ("enable-bgp-control-plane", "bgp-announce-pod-cidr"):
        if truth(options.get(key)):
            return Mode.BGP, f"{key} true"
    for kind in ("CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"):
        if scope.resources(kind):
            return Mode.BGP, f"a {kind} is there"
    if truth(options.get("auto-direct-node-routes")):
        return Mode.HOST_GW, "auto-direct-node-routes true: neighbours in one segment only"
    ipam = options.get("ipam")
    if ipam in _CLOUD_IPAM:
        return Mode.CLOUD, f"ipam {ipam}: the cloud's own network"
    return Mode.NATIVE, "the routers between the nodes know the pods' addresses"


def _by_node(scope: Scope) -> tuple[str, ...]:
    """Tell of nodes that are configured otherwise."""
    found = []
    for obj in scope.resources("CiliumNodeConfig"):
        defaults = mapping_of(mapping_of(obj.get("spec")).get("defaults"))
        for key in ("routing-mode", "tunnel"):
            if key in defaults:
                name = shown(mapping_of(obj.get("metadata")).get("name"))
                found.append(f"CiliumNodeConfig {name}: {key} {shown(word(defaults[key]))}")
    return tuple(found)
