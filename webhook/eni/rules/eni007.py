"""A key is right except for its case.

terwayd and the control plane match keys exactly, the init container ignores case: `Access_Key`
reaches one and not the other, and the credentials vanish without a word
(types/daemon/config.go:20; apimachinery pkg/util/json/json.go:45; cmd/terway-cli/node.go:97,
v1.17.5). terway-cli looks up its own keys of the CNI file exactly, too (cmd/terway-cli/cni.go:205).

Wrong: eni_conf: {"Service_CIDR": "172.21.0.0/20"}
Right: eni_conf: {"service_cidr": "172.21.0.0/20"}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import BACKOFF, CONFIG
from webhook.eni.jsontext import Node
from webhook.eni.shapes import Path, folded
from webhook.findings import Level

NAME = "key-case"
LEVEL = Level.ERROR
_BLOCK = {"key": "key", "value": "value"}
_CNI = {
    name: name
    for name in (
        "eniip_virtual_type",
        "network_policy_provider",
        "symmetric_routing",
        "symmetric_routing_config",
    )
}


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each key that only case keeps from being known."""
    root = document.conf.root
    if root is not None and root.kind == "object":
        yield from _keys(root, CONFIG.folded, (document.conf.key,))
        for key, value in root.value:
            yield from _nested(key.value, value, (document.conf.key, key.value))
    for path, plugin, _ in document.plugins:
        yield from _keys(plugin, _CNI, path)


def _nested(name: str, node: Node, path: Path) -> Iterator[Fault]:
    if name == "backoff_override" and node.kind == "object":
        for key, entry in node.value:
            yield from _keys(entry, BACKOFF.folded, (*path, key.value))
    if name == "eni_tag_block_list" and node.kind == "array":
        for index, entry in enumerate(node.value):
            yield from _keys(entry, _BLOCK, (*path, index))


def _keys(node: Node, known: Mapping[str, str], path: Path) -> Iterator[Fault]:
    if node.kind != "object":
        return
    for key, _ in node.value:
        right = known.get(folded(key.value))
        if right is not None and right != key.value:
            yield Fault(
                path=(*path, key.value),
                message=f"Terway matches keys exactly: write {right}",
                fix=f"correct the case: {right}",
                node=key,
            )
