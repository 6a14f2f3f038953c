"""eniip_virtual_type is ipvlan.

IPvlan is retired from v1.13.0: it becomes datapathv2, or stops the node with "ipvlan is
unsupported" (cmd/terway-cli/cni.go:236-241, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "eniip_virtual_type": "IPVlan"}
Right: 10-terway.conf: {"type": "terway", "eniip_virtual_type": "datapathv2"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "ipvlan"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for it, in any case of letters."""
    for path, _, plugin in document.terway:
        node = plugin.get("eniip_virtual_type")
        if node is not None and node.kind == "string" and node.value.lower() == "ipvlan":
            yield Fault(
                path=(*path, "eniip_virtual_type"),
                message="is retired; it becomes datapathv2 or stops the node",
                fix="write datapathv2",
            )
