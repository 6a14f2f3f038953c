"""Antrea: trafficEncapMode in antrea-agent.conf; commented or missing it is encap.

The ConfigMap's name carries a hash up to 1.0, so it is found through the pods' volume. Values are
compared without case (antrea pkg/agent/config, GetTrafficEncapModeFromStr).
"""

from __future__ import annotations

from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import shown, top_level

_KEY = "antrea-agent.conf"
_OPTION = "trafficEncapMode"
_MODES = {
    "encap": Mode.OVERLAY, "noencap": Mode.NATIVE, "hybrid": Mode.CROSS_SUBNET,
    "networkpolicyonly": Mode.POLICY_ONLY,
}  # fmt: skip


def read(scope: Scope) -> Reading:
    """Read the mode; without encapsulation a BGPPolicy makes it BGP."""
    found = scope.text(_KEY, "antrea-config")
    if found is None:
        return _unknown(f"no ConfigMap with {_KEY} among these objects")
    text, name = found
    options = top_level(text)
    where = f"ConfigMap {name}, {_KEY}"
    if options is None:
        return _unknown(f"{where} cannot be read as YAML")
    written = options.get(_OPTION, "")
    if written is None:
        return _unknown(f"{where}: {_OPTION} is no word: a template that is not rendered")
    if not written:
        why = f"{where}: {_OPTION} is not set, encap is the default"
        return Reading(mode=Mode.OVERLAY, evidence=(why,))
    said = f"{where}: {_OPTION} {shown(written)}"
    mode = _MODES.get(written.lower())
    if mode is None:
        return _unknown(f"{said}: not a value of Antrea's")
    if mode is Mode.NATIVE and scope.resources("BGPPolicy"):
        return Reading(mode=Mode.BGP, evidence=(said, "a BGPPolicy is there"))
    return Reading(mode=mode, evidence=(said,))


def _unknown(why: str) -> Reading:
    look = "kubectl -n kube-system get configmap -l app=antrea -o yaml"
    return Reading(mode=Mode.UNKNOWN, evidence=(why,), look=look)
