"""What Terway makes of the switch for NetworkPolicy and of the data path (policy.go:104-135)."""

from __future__ import annotations

from webhook.eni.document import EniDocument
from webhook.eni.fields import POLICY_SWITCH


def is_on(document: EniDocument) -> bool:
    """Tell whether Terway enforces NetworkPolicy: `false`, `0`, nothing, or no key at all."""
    return document.data.get(POLICY_SWITCH, "") in ("false", "0", "", None)


def runs_felix(document: EniDocument) -> bool:
    """Tell whether NetworkPolicy is on with veth and iptables, where Felix does it."""
    if not is_on(document):
        return False
    for _, _, plugin in document.terway:
        kind, provider = plugin.get("eniip_virtual_type"), plugin.get("network_policy_provider")
        is_veth = kind is None or kind.kind != "string" or kind.value.lower() in ("", "veth")
        if not is_veth or (provider is not None and provider.value == "ebpf"):
            return False
    return True
