"""Cilium: cilium-config and CiliumNodeConfigs, with the agent's flags and environment in front.

Since 1.14 `routing-mode` and `tunnel-protocol`, before `tunnel` (gone in 1.15, cilium PR 29053):
the new keys are read first. Without either the default is encapsulation. In native routing, what
makes the routes decides: BGP, direct routes between neighbours, a cloud's IPAM, or a router.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webhook.detect.containers import Started
from webhook.detect.model import Mode, Reading
from webhook.detect.rules import cilium_nodes
from webhook.detect.seen import Scope
from webhook.detect.texts import is_placeholder, shown, truth

_CONFIG = "cilium-config"
_PROTOCOLS = {"vxlan", "geneve"}
_CLOUD_IPAM = {"eni", "azure", "alibabacloud"}
_CHAINED = {"", "none", "portmap"}  # any other mode leaves the network to another CNI
_LOOK = "kubectl -n kube-system get configmap cilium-config -o yaml"


@dataclass(frozen=True, slots=True)
class _Options:
    """The agent's options: a flag, else CILIUM_..., else the nodes' configuration, else the map."""

    started: Started
    nodes: Mapping[str, str]
    data: Mapping[str, str]

    def get(self, key: str) -> str:
        """Return an option's value, lower-cased; empty where it is not set."""
        return self._find(key)[0].strip().lower()

    def said(self, key: str) -> str:
        """Return an option's value, and where it stands if that is not cilium-config."""
        _, where = self._find(key)
        return f"{key} {shown(self.get(key))}" + (f" ({where})" if where else "")

    def _find(self, key: str) -> tuple[str, str]:
        flag, name = self.started.text(key), f"CILIUM_{key.upper().replace('-', '_')}"
        variable = self.started.env.get(name)
        if flag is not None:
            return flag or "true", f"--{key}"
        if variable is not None and variable.value is not None:
            return variable.value, name
        if key in self.nodes:
            return self.nodes[key], "CiliumNodeConfig"
        return self.data.get(key, ""), ""


def read(scope: Scope) -> Reading:
    """Read whether packets are encapsulated, and if not, who makes the routes."""
    data, node_configs = _config(scope), scope.resources("CiliumNodeConfig")
    options = _Options(scope.started(), cilium_nodes.everywhere(node_configs), data or {})
    if data is None and not _says_enough(options):
        why = f"no ConfigMap {_CONFIG} among these objects"
        return Reading(mode=Mode.UNKNOWN, evidence=(why,), look=_LOOK)
    chained = options.get("cni-chaining-mode")
    if chained not in _CHAINED:
        why = f"cni-chaining-mode {shown(chained)}: another CNI moves the packets"
        return Reading(mode=Mode.POLICY_ONLY, evidence=(why,))
    routing, said = _routing(options)
    against = _by_node(options, node_configs)
    if routing is None:
        return Reading(mode=Mode.UNKNOWN, evidence=(said,), look=_LOOK)
    if routing == "tunnel":
        evidence = [said]
        if truth(options.get("enable-bgp-control-plane")):
            evidence.append("its BGP control plane announces load balancers only")
        certain = bool(options.get("routing-mode") or options.get("tunnel")) and not against
        return Reading(
            mode=Mode.OVERLAY, evidence=tuple(evidence), against=against, certain=certain
        )
    mode, why = _native(options, scope)
    return Reading(mode=mode, evidence=(said, why), against=against, certain=not against)


def _says_enough(options: _Options) -> bool:
    """Tell whether the routing is known without cilium-config.

    Charts write tunnel-protocol beside either routing-mode, so where the agent reads a folder that
    is not here the protocol says nothing.
    """
    if options.get("routing-mode") or options.get("tunnel"):
        return True
    return bool(options.get("tunnel-protocol")) and "config-dir" not in options.started.flags


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
        said = options.said("routing-mode")
        return mode, f"{said}, {shown(protocol)}" if protocol and mode == "tunnel" else said
    if mode:
        return None, _odd(options, "routing-mode")
    if old == "disabled":
        return "native", options.said("tunnel")
    if old in _PROTOCOLS:
        return "tunnel", options.said("tunnel")
    if old:
        return None, _odd(options, "tunnel")
    return "tunnel", "neither routing-mode nor tunnel is set: encapsulation is the default"


def _odd(options: _Options, key: str) -> str:
    template = is_placeholder(options.get(key))
    why = "a template that is not rendered" if template else "not a value of Cilium's"
    return f"{options.said(key)}: {why}"


def _native(options: _Options, scope: Scope) -> tuple[Mode, str]:
    for key in ("enable-bgp-control-plane", "bgp-announce-pod-cidr"):
        if truth(options.get(key)):
            return Mode.BGP, f"{key} true"
    for kind in ("CiliumBGPClusterConfig", "CiliumBGPNodeConfig", "CiliumBGPPeeringPolicy"):
        if scope.resources(kind):
            return Mode.BGP, f"a {kind} is there"
    if truth(options.get("auto-direct-node-routes")):
        return Mode.HOST_GW, "auto-direct-node-routes true: neighbours in one segment only"
    ipam = options.get("ipam")
    if ipam in _CLOUD_IPAM:
        return Mode.CLOUD, f"ipam {ipam}: the cloud's own network"
    return Mode.NATIVE, "the routers between the nodes know the pods' addresses"


def _by_node(options: _Options, node_configs: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Tell of nodes that are configured otherwise."""
    usual, _ = _routing(options)
    found = []
    for name, defaults in cilium_nodes.somewhere(node_configs):
        theirs, said = _routing(replace(options, nodes={**options.nodes, **defaults}))
        if theirs != usual:
            found.append(f"on the nodes of {name}: {said}")
    return tuple(found)
