"""eniip_virtual_type is unknown.

In any case of letters it is veth, ipvlan or datapathv2; with anything else the init container stops
with "invalid datapath" and an empty value (cmd/terway-cli/cni.go:219-244, 276, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "eniip_virtual_type": "datapath-v2"}
Right: 10-terway.conf: {"type": "terway", "eniip_virtual_type": "datapathv2"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "virtual-type"
LEVEL = Level.ERROR
_KNOWN = ("", "veth", "ipvlan", "datapathv2")


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other text."""
    for path, _, plugin in document.terway:
        node = plugin.get("eniip_virtual_type")
        if node is None or node.kind != "string" or templates.in_value(node.value):
            continue
        if node.value.lower() not in _KNOWN:
            yield Fault(
                path=(*path, "eniip_virtual_type"),
                message=f"{quoting.shown(node.value, document.secrets)} is unknown; "
                "the init container stops with an invalid datapath",
                fix="write Veth or datapathv2",
            )
