"""A zone has no vSwitch.

For a zone with an empty list or null the node's own vSwitch is used (daemon/config.go:55-60;
pkg/eni/node_reconcile.go:109, v1.17.5). In an override null removes the zone, which is its purpose.

Wrong: eni_conf: {"vswitches": {"cn-hangzhou-g": []}}
Right: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "zone-empty"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each zone without one."""
    zones = (document.required or {}).get("vswitches") or {}
    for zone, listed in zones.items():
        path = ("vswitches", zone)
        if not listed and path not in document.wrong_paths:
            yield Fault(
                path=(document.conf.key, *path),
                message="lists no vSwitch; nodes of that zone use their own",
                fix="list one, or delete the zone",
            )
