"""Calico: its IP pools decide; environment and Installation only make the first ones.

calico-node creates a default pool from CALICO_IPV4POOL_IPIP and _VXLAN while there is no IPv4 pool
(node/pkg/lifecycle/startup/startup.go, createIPPool), the operator from its Installation
(pkg/controller/ippool/defaults.go). IP-in-IP uses BGP between nodes as well; what is encapsulated
counts as an overlay all the same. Backends `none` and `vxlan` run no BGP, anything else does.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.detect.containers import Started
from webhook.detect.model import Mode, Reading
from webhook.detect.rules import installation
from webhook.detect.rules.pools import Encapsulation, Pool, from_resources
from webhook.detect.seen import Scope
from webhook.detect.texts import go_field, is_placeholder, json_template, shown, truth, word
from webhook.workloads import mapping_of

_ENVIRONMENT = {
    "": Encapsulation.NEVER, "off": Encapsulation.NEVER, "never": Encapsulation.NEVER,
    "crosssubnet": Encapsulation.CROSS_SUBNET, "cross-subnet": Encapsulation.CROSS_SUBNET,
    "always": Encapsulation.ALWAYS,
}  # fmt: skip
_BACKEND = "CALICO_NETWORKING_BACKEND"
_IPIP, _VXLAN = "CALICO_IPV4POOL_IPIP", "CALICO_IPV4POOL_VXLAN"
_LOOK = "kubectl get ippools.crd.projectcalico.org -o yaml"
_SILENT = frozenset({"none", "vxlan"})  # backends that tell nobody about routes


def read(scope: Scope) -> Reading:
    """Read what encapsulates, and where nothing does, whether BGP makes the routes."""
    started = scope.started()
    operator = _installed_by_operator(scope)
    backend, said = _backend(started)
    if operator and operator.other_cni:
        return _policy_only(f"Installation: cni.type {operator.other_cni}")
    ipam = _ipam(scope)
    if backend == "none" and ipam not in (None, "calico-ipam"):
        return _policy_only(f"{said}; ipam {shown(ipam)}: another CNI moves the packets")
    resources = scope.resources("IPPool")
    pools = from_resources(resources)
    certain = True
    if not pools and operator:
        pools = operator.pools
        backend = backend if _BACKEND in started.env else operator.backend
        ipam = ipam or "calico-ipam"
        certain = not operator.by_default
    elif not resources:  # a pool that is disabled keeps calico-node from making its own, too
        certain = False
        pools = list(_from_environment(started))
    against = tuple(_against(scope))
    return _read(pools, backend, said, ipam, against, certain=certain, peers=_peers(scope))


def _read(
    pools: list[Pool],
    backend: str | None,
    said: str,
    ipam: str | None,
    against: tuple[str, ...],
    *,
    certain: bool,
    peers: list[str],
) -> Reading:
    """Draw the conclusion from pools, backend and peers."""
    evidence = tuple(pool.text for pool in pools)
    look = None if certain else _LOOK
    kinds = {pool.encapsulation for pool in pools}
    if Encapsulation.UNKNOWN in kinds:
        return _unknown(evidence, against)
    if kinds == {Encapsulation.ALWAYS}:
        told = (*evidence, *peers)
        return Reading(
            mode=Mode.OVERLAY, evidence=told, against=against, certain=certain, look=look
        )
    if Encapsulation.CROSS_SUBNET in kinds:
        return Reading(
            mode=Mode.CROSS_SUBNET, evidence=evidence, against=against, certain=certain, look=look
        )
    if len(kinds) > 1:
        return _unknown((*evidence, "some pools are encapsulated, some are not"), against)
    if backend == "none" and ipam is None:
        return _policy_only(f"{said}: another CNI moves the packets")
    if not pools and not peers:
        why = "no IPPool among these objects gives pods addresses, and none is made"
        return _unknown((said, why), against)
    if backend is None or backend in _SILENT:
        why = "nothing is encapsulated, and nothing here says how routes are told"
        return _unknown((*evidence, said, why), against)
    told = (*evidence, said, *peers)
    return Reading(mode=Mode.BGP, evidence=told, against=against, certain=certain, look=look)


def _installed_by_operator(scope: Scope) -> installation.Installed | None:
    """Return the Installation where this DaemonSet is the operator's, else None.

    Another file may hold an Installation while this manifest is applied by hand.
    """
    own = scope.daemonset
    if own.ref.namespace in ("calico-system", None) or own.by_operator:
        return installation.read(scope.resources("Installation"))
    return None


def _backend(started: Started) -> tuple[str | None, str]:
    """Return the backend and what says so; None where it comes from something not seen."""
    setting = started.env.get(_BACKEND)
    if setting is None:
        return "bird", f"{_BACKEND} is not set: bird is the default"
    if setting.value is None or is_placeholder(setting.value):
        return None, f"{_BACKEND} comes from {setting.where}, which is not among these objects"
    backend = setting.value.strip().lower() or "bird"
    return backend, f"{_BACKEND} {shown(backend)} ({setting.where})"


def _from_environment(started: Started) -> Iterator[Pool]:
    """Yield the pool that calico-node would create."""
    none = started.env.get("NO_DEFAULT_POOLS")
    if none is not None and truth(none.value or ""):
        return
    kinds = []
    texts = []
    for name in (_IPIP, _VXLAN):
        setting = started.env.get(name)
        if setting is None:
            continue
        value = setting.value
        known = None if value is None else _ENVIRONMENT.get(value.strip().lower())
        kinds.append(known or Encapsulation.UNKNOWN)
        texts.append(f"{name}={shown(value) if value is not None else '?'} ({setting.where})")
    told = ", ".join(texts) or f"neither {_IPIP} nor {_VXLAN} is set"
    yield Pool(
        text=f"{told}; counts only while there is no IPPool",
        encapsulation=max(kinds, default=Encapsulation.NEVER),
    )


def _ipam(scope: Scope) -> str | None:
    """Return the type of address management in the CNI configuration, or None."""
    for usual in ("calico-config", "canal-config", "cni-config"):
        for key in ("cni_network_config", "config"):
            found = scope.text(key, usual)
            conf = json_template(found[0]) if found else None
            plugins = go_field(conf, "plugins") if conf else []
            for plugin in plugins if isinstance(plugins, list) else [conf]:
                ipam = mapping_of(mapping_of(plugin).get("ipam")).get("type")
                if isinstance(ipam, str) and mapping_of(plugin).get("type") == "calico":
                    return ipam
    return None


def _peers(scope: Scope) -> list[str]:
    """Return what shows that BGP is planned: route reflectors, peers, no mesh."""
    found = [
        "BGPConfiguration: nodeToNodeMeshEnabled false"
        for obj in scope.resources("BGPConfiguration")
        if truth(word(mapping_of(obj.get("spec")).get("nodeToNodeMeshEnabled"))) is False
    ]
    count = len(scope.resources("BGPPeer"))
    if count:
        found.append(f"{count} BGPPeer")
    reflectors = len(scope.seen.nodes.reflectors) + sum(
        bool(mapping_of(mapping_of(obj.get("spec")).get("bgp")).get("routeReflectorClusterID"))
        for obj in scope.resources("Node")
    )
    if reflectors:
        found.append(f"{reflectors} nodes are route reflectors")
    return found


def _against(scope: Scope) -> Iterator[str]:
    for obj in scope.resources("FelixConfiguration"):
        spec = mapping_of(obj.get("spec"))
        for key in ("ipipEnabled", "vxlanEnabled"):
            if key in spec and truth(word(spec[key])) is False:
                yield f"FelixConfiguration: {key} false"


def _policy_only(why: str) -> Reading:
    return Reading(mode=Mode.POLICY_ONLY, evidence=(why,))


def _unknown(evidence: tuple[str, ...], against: tuple[str, ...]) -> Reading:
    return Reading(mode=Mode.UNKNOWN, evidence=evidence, against=against, look=_LOOK)
