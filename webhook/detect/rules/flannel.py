"""Flannel: Backend.Type in net-conf.json, and what flanneld wrote onto its nodes.

A missing Backend means udp (flannel pkg/subnet/config.go, parseBackendType); types are compared
without case. DirectRouting, of vxlan and ipip, sends packets within a subnet as they are. With
etcd, without --kube-subnet-mgr, no object tells. ali-vpc, aws-vpc and gce were dropped in v0.20.0.
"""

from __future__ import annotations

from typing import Any

from webhook.detect.containers import Started
from webhook.detect.model import Mode, Reading
from webhook.detect.seen import BACKEND_TYPE, Scope
from webhook.detect.texts import go_field, is_placeholder, json_object, shown, truth, word

MODES = {
    "vxlan": Mode.OVERLAY, "udp": Mode.OVERLAY, "wireguard": Mode.OVERLAY, "ipip": Mode.OVERLAY,
    "ipsec": Mode.OVERLAY, "host-gw": Mode.HOST_GW, "alloc": Mode.HOST, "ali-vpc": Mode.CLOUD,
    "aws-vpc": Mode.CLOUD, "gce": Mode.CLOUD, "tencent-vpc": Mode.CLOUD,
}  # fmt: skip
_DIRECT = {"vxlan", "ipip"}
_KEY = "net-conf.json"
_DEFAULT = "udp"


def read(scope: Scope, usual: str = "kube-flannel-cfg") -> Reading:
    """Read the backend from the ConfigMap, else from the nodes' annotations."""
    started = scope.started()
    key = (started.text("net-config-path") or _KEY).rpartition("/")[2]
    found = scope.text(key, usual)
    if found is None:
        return _from_nodes(scope, usual, etcd=_in_etcd(started))
    text, name = found
    conf = json_object(text)
    where = f"ConfigMap {name}, {key}"
    if conf is None:
        return _unknown(f"{where} is no JSON object", usual)
    return _backend(go_field(conf, "Backend"), where, scope, usual)


def _in_etcd(started: Started) -> bool:
    """Tell whether flanneld is seen to run without --kube-subnet-mgr.

    Each of its flags is a variable, too: canal-etcd has no flags and FLANNELD_ETCD_ENDPOINTS.
    """
    variable = started.env.get("FLANNELD_KUBE_SUBNET_MGR")
    by_kubernetes = started.switch("kube-subnet-mgr", default=False)
    if by_kubernetes or (variable is not None and truth(variable.value or "")):
        return False
    return bool(started.flags) or "FLANNELD_ETCD_ENDPOINTS" in started.env


def _backend(backend: Any, where: str, scope: Scope, usual: str) -> Reading:
    settings = backend if isinstance(backend, dict) else {}
    if backend is not None and not isinstance(backend, dict):
        return _unknown(f"{where}: Backend is no object", usual)
    written = word(go_field(settings, "Type"))
    kind = written.lower() or _DEFAULT
    said = f"{where}: Backend.Type {shown(written)}" if written else f"{where}: no Backend.Type"
    if kind not in MODES:
        why = "a template that is not rendered" if is_placeholder(written) else "no type known here"
        return _unknown(f"{said}: {why}", usual)
    against = _disagreeing(scope, kind)
    direct = go_field(settings, "DirectRouting")
    if kind in _DIRECT and truth(word(direct)):
        return Reading(
            mode=Mode.CROSS_SUBNET,
            evidence=(f"{said}, DirectRouting: packets within a subnet are not encapsulated",),
            against=against,
        )
    told = said if written else f"{said}, which means {_DEFAULT}"
    return Reading(mode=MODES[kind], evidence=(told,), against=against)


def _from_nodes(scope: Scope, usual: str, *, etcd: bool) -> Reading:
    """Read what flanneld wrote onto the nodes it runs on."""
    kinds = set(scope.seen.nodes.backends.values())
    if len(kinds) == 1 and kinds <= MODES.keys():
        kind = kinds.pop()
        count = len(scope.seen.nodes.backends)
        evidence = f"{BACKEND_TYPE}: {kind} on {count} nodes"
        return Reading(mode=MODES[kind], evidence=(evidence,), certain=False)
    if etcd:
        return Reading(
            mode=Mode.UNKNOWN,
            evidence=("flanneld runs without --kube-subnet-mgr: its configuration is in etcd",),
            look="etcdctl get /coreos.com/network/config",
        )
    return _unknown(f"no ConfigMap with {_KEY} among these objects", usual)


def _disagreeing(scope: Scope, kind: str) -> tuple[str, ...]:
    other = sorted({k for k in scope.seen.nodes.backends.values() if k != kind})
    return (f"{BACKEND_TYPE} on nodes: {', '.join(map(shown, other))}",) if other else ()


def _unknown(why: str, usual: str) -> Reading:
    look = f"kubectl get configmap -A --field-selector metadata.name={usual} -o yaml"
    return Reading(mode=Mode.UNKNOWN, evidence=(why,), look=look)
