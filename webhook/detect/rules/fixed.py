"""Add-ons with one way to move packets, or nearly so."""

from __future__ import annotations

from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import shown


def weave(_scope: Scope) -> Reading:
    """Weave Net always encapsulates."""
    return Reading(mode=Mode.OVERLAY, evidence=("Weave Net: VXLAN (fastdp) or sleeve, always",))


def kindnet(_scope: Scope) -> Reading:
    """Kindnet sets routes on neighbours."""
    return Reading(mode=Mode.HOST_GW, evidence=("kindnet: routes between neighbours, always",))


def ovn_kubernetes(scope: Scope) -> Reading:
    """OVN-Kubernetes is Geneve; route advertisements may take a network out of it."""
    against: tuple[str, ...] = ()
    if scope.started().switch("enable-route-advertisements", default=False):
        count = len(scope.resources("RouteAdvertisements"))
        against = (f"--enable-route-advertisements, {count} RouteAdvertisements: BGP is possible",)
    evidence = ("OVN-Kubernetes: Geneve is the default",)
    return Reading(mode=Mode.OVERLAY, evidence=evidence, against=against, certain=not against)


def kopeio(scope: Scope) -> Reading:
    """Kopeio's --provider; vxlan is the default (kopeio cmd/networking-agent/options.go)."""
    provider = scope.started().text("provider") or "vxlan"
    modes = {
        "vxlan": Mode.OVERLAY, "vxlan-legacy": Mode.OVERLAY, "vxlan2": Mode.OVERLAY,
        "gre": Mode.OVERLAY, "ipsec": Mode.OVERLAY, "layer2": Mode.HOST_GW,
    }  # fmt: skip
    mode = modes.get(provider, Mode.UNKNOWN)
    return Reading(mode=mode, evidence=(f"provider {shown(provider)}",), certain=False)
