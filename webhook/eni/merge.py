"""The RFC 7396 merge of a node-level override into eni-config, as the library Terway uses does it.

github.com/evanphx/json-patch v5.6.0, merge.go: objects merge, null deletes, all else replaces. An
object that is new loses its nulls; a list at the top replaces the whole configuration; a top-level
scalar or null is refused. Equal keys count once where a merge looks inside their object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webhook.eni.jsontext import Node

_Pair = tuple[Node, Node]


class MergeError(ValueError):
    """The library refuses to merge: the base is null, or the override a scalar or null."""


def merge(base: Node, override: Node) -> Node:
    """Return the merged document; its nodes keep the offsets of the text they come from."""
    if base.kind == "null":
        raise MergeError("eni_conf of eni-config is null: nothing can be merged into it")
    if override.kind not in ("object", "array"):
        raise MergeError(f"an override must be a JSON object, found {override.kind}")
    if base.kind != "object" or override.kind == "array":
        return _without_nulls(override)
    return _merged(base, override)


def _merged(base: Node, override: Node) -> Node:
    """Merge two objects; a loop, since a document may have 10,000 levels."""
    top: list[_Pair] = []
    waiting = [(base.members(), override, top)]
    while waiting:
        members, patch, pairs = waiting.pop()
        for key, value in patch.members().items():
            was = members.get(key)
            if value.kind == "null":
                members.pop(key, None)
            elif was is None or was.kind != "object":
                members[key] = _without_nulls(value)
            elif value.kind != "object":
                members[key] = value
            else:
                inner: list[_Pair] = []
                members[key] = Node("object", inner, was.start, was.end)
                waiting.append((was.members(), value, inner))
        pairs.extend(_pairs(members.items()))
    return Node("object", top, base.start, base.end)


def _without_nulls(root: Node) -> Node:
    """Return a new value without the null members of its objects; nulls in lists stay."""
    holder: list[Any] = [root]
    waiting: list[tuple[list[Any], int, Node]] = [(holder, 0, root)]
    while waiting:
        place, index, node = waiting.pop()
        if node.kind == "array":
            items = list(node.value)
            place[index] = _replaced(place[index], Node("array", items, node.start, node.end))
            waiting.extend((items, at, item) for at, item in enumerate(items))
        elif node.kind == "object":
            kept = ((k, v) for k, v in node.members().items() if v.kind != "null")
            pairs: list[_Pair] = list(_pairs(kept))
            place[index] = _replaced(place[index], Node("object", pairs, node.start, node.end))
            waiting.extend((pairs, at, pair[1]) for at, pair in enumerate(pairs))
    whole: Node = holder[0]
    return whole


def _replaced(was: Any, node: Node) -> Any:
    """Return what stands in a list (a node) or in an object (key and node), with another node."""
    return node if isinstance(was, Node) else (was[0], node)


def _pairs(members: Iterable[tuple[str, Node]]) -> Iterable[_Pair]:
    """Return members as an object's pairs, ordered as Go writes a map."""
    return ((Node("string", key, 0, 0), value) for key, value in sorted(members))
