"""A value has the wrong JSON type.

Go refuses the whole document: terwayd and the init container end with a decoding error
(types/daemon/config.go:33-89, v1.17.5). A whole number has no point and no exponent and fits 64
bits; null is the default of any field. In the CNI file the init container, the policy container or
each start of a pod fails (plugin/terway/cni.go, cmd/terway-cli/policy.go:38-46).

Wrong: eni_conf: {"max_pool_size": "5"}
Right: eni_conf: {"max_pool_size": 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import shapes
from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CNI_PLUGIN
from webhook.eni.jsontext import Node
from webhook.eni.shapes import Mismatch
from webhook.findings import Level

NAME = "wrong-type"
LEVEL = Level.ERROR
_LONGEST = 12  # a longer number could be a credential without its quotes


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each value that Go refuses."""
    for mismatch in document.mismatches:
        if mismatch.path:
            yield _fault((document.conf.key, *mismatch.path), mismatch)
    for path, _, plugin in document.terway:
        for name, shape in CNI_PLUGIN.items():
            if name in plugin:
                for mismatch in shapes.decode(shape, plugin[name], fold=True)[1]:
                    yield _fault((*path, name, *mismatch.path), mismatch)


def _fault(path: shapes.Path, mismatch: Mismatch) -> Fault:
    return Fault(
        path=path,
        message=f"must be {mismatch.wanted}, found {_found(mismatch.node)}",
        fix=_fix(mismatch),
        node=mismatch.node,
    )


def _found(node: Node) -> str:
    if node.kind == "number" and len(node.value) <= _LONGEST:
        return f"the number {node.value}"
    if node.kind == "boolean":
        return "true" if node.value else "false"
    return {
        "string": "a string",
        "number": "a number out of range",
        "array": "a list",
        "object": "an object",
        "null": "null",
    }[node.kind]


def _fix(mismatch: Mismatch) -> str:
    if mismatch.node.kind == "string" and mismatch.wanted.endswith(("number", "false")):
        return "drop the quotes"
    if mismatch.wanted == "a string" and mismatch.node.kind in ("number", "boolean"):
        return "put it in double quotes"
    if mismatch.wanted.startswith("a list"):
        return "wrap it in [ ]"
    return f"write {mismatch.wanted}"
