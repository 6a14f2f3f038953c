"""Add-ons with one way to move packets, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.detect.model import Mode, Reading
from webhook.detect.seen import Scope
from webhook.detect.texts import shown, truth


def weave(_scope: Scope) -> Reading:
    """Weave Net always encapsulates."""
    return Reading(mode=Mode.OVERLAY, evidence=("Weave Net: VXLAN (fastdp) or sleeve, always",))


def kindnet(_scope: Scope) -> Reading:
    """Kindnet sets routes on neighbours."""
    return Reading(mode=Mode.HOST_GW, evidence=("kindnet: routes between neighbours, always",))


def ovn_kubernetes(scope: Scope) -> Reading:
    """OVN-Kubernetes is Geneve; route advertisements may take a network out of it.

    Its images' ovnkube.sh makes the flag from a variable, so manifests have the variable.
    """
    said = ", ".join(_advertises(scope))
    against = (f"{said}: BGP is possible",) if said else ()
    evidence = ("OVN-Kubernetes: Geneve is the default",)
    return Reading(mode=Mode.OVERLAY, evidence=evidence, against=against, certain=not against)


def _advertises(scope: Scope) -> Iterator[str]:
    started, count = scope.started(), len(scope.resources("RouteAdvertisements"))
    if started.switch("enable-route-advertisements", default=False):
        yield "--enable-route-advertisements"
    variable = started.env.get("OVN_ROUTE_ADVERTISEMENTS_ENABLE")
    if variable is not None and truth(variable.value or ""):
        yield "OVN_ROUTE_ADVERTISEMENTS_ENABLE true"
    if count:
        yield f"{count} RouteAdvertisements"


def kopeio(scope: Scope) -> Reading:
    """Kopeio's --provider; vxlan is the default (kopeio cmd/networking-agent/options.go)."""
    written = scope.started().text("provider")
    provider = written or "vxlan"
    default = "--provider is not set: vxlan is the default"
    said = f"--provider={shown(written)}" if written else default
    modes = {
        "vxlan": Mode.OVERLAY, "vxlan-legacy": Mode.OVERLAY, "vxlan2": Mode.OVERLAY,
        "gre": Mode.OVERLAY, "ipsec": Mode.OVERLAY, "layer2": Mode.HOST_GW,
    }  # fmt: skip
    mode = modes.get(provider, Mode.UNKNOWN)
    return Reading(mode=mode, evidence=(said,), certain=bool(written))
