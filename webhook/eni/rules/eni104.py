"""network_policy_provider is unknown.

Only `ebpf` is special; any other text runs Felix on iptables (cmd/terway-cli/cni.go:205-223;
cmd/terway-cli/policy.go:115, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "network_policy_provider": "eBPF"}
Right: 10-terway.conf: {"type": "terway", "network_policy_provider": "ebpf"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "policy-provider"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other text."""
    for path, _, plugin in document.terway:
        node = plugin.get("network_policy_provider")
        if node is None or node.kind != "string" or templates.in_value(node.value):
            continue
        if node.value not in ("", "iptables", "ebpf"):
            yield Fault(
                path=(*path, "network_policy_provider"),
                message=f"{quoting.shown(node.value, document.secrets)} runs Felix",
                fix="write iptables or ebpf",
            )
