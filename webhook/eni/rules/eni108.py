"""cilium-cni stands before terway.

Plugins run in their order; cilium-cni needs the interface that terway makes
(cmd/terway-cli/cni.go:192-199; docs/cni-chain.md, v1.17.5).

Wrong: 10-terway.conflist: {"plugins": [{"type": "cilium-cni"}, {"type": "terway"}]}
Right: 10-terway.conflist: {"plugins": [{"type": "terway"}, {"type": "cilium-cni"}]}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "conflist-order"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the order is reversed."""
    kinds = []
    for path, _, plugin in document.plugins:
        node = plugin.get("type")
        kinds.append((path, node.value if node is not None else None))
    names = [kind for _, kind in kinds]
    if "terway" in names and "cilium-cni" in names[: names.index("terway")]:
        yield Fault(
            path=kinds[names.index("cilium-cni")][0],
            message="cilium-cni must come after terway",
            fix="put terway first",
        )
