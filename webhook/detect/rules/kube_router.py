"""kube-router: three flags (kube-router docs/user-guide.md, docs/tunnels.md).

Its routes are BGP's; by default packets between subnets are wrapped into IP-in-IP.
"""

from __future__ import annotations

from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import shown


def read(scope: Scope) -> Reading:
    """Read whether it routes at all, and what it encapsulates."""
    started = scope.started()
    routes = started.switch("run-router", default=True)
    overlay = started.switch("enable-overlay", default=True)
    kind = started.text("overlay-type")
    if routes is None or overlay is None:
        return _unknown("--run-router or --enable-overlay is not a boolean")
    if not routes:
        why = "--run-router=false: proxy or firewall only"
        return Reading(mode=Mode.NONE, evidence=(why,))
    peers = started.text("peer-router-ips")
    against = (f"--peer-router-ips {shown(peers)}: it also peers with routers",) if peers else ()
    if not overlay:
        return Reading(mode=Mode.BGP, evidence=("--enable-overlay=false", *against))
    if kind not in (None, "", "subnet", "full"):
        return _unknown(f"--overlay-type={shown(kind)}: not a value of kube-router's")
    if kind == "full":
        return Reading(mode=Mode.OVERLAY, evidence=("--overlay-type=full",), against=against)
    said = "--overlay-type=subnet" if kind else "--overlay-type not set: subnet is the default"
    return Reading(mode=Mode.CROSS_SUBNET, evidence=(said,), against=against, certain=bool(kind))


def _unknown(why: str) -> Reading:
    look = "kubectl get daemonset -A -l k8s-app=kube-router -o yaml"
    return Reading(mode=Mode.UNKNOWN, evidence=(why,), look=look)
