"""A key stands twice in one object.

Go takes the last of two equal keys and says nothing (encoding/json and sigs.k8s.io/json); where
the value is an object or a list it is even decoded over the first one. Whoever corrects the first
of the two corrects nothing (types/daemon/config.go:201, v1.17.5).

Wrong: eni_conf: {"max_pool_size": 5, "max_pool_size": 10}
Right: eni_conf: {"max_pool_size": 10}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import Embedded, EniDocument, Fault, objects
from webhook.eni.jsontext import Node
from webhook.findings import Level

NAME = "duplicate-key"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield one fault for each repeated key of an object."""
    for embedded in document.embedded():
        for path, node in objects(embedded):
            if len({key.value for key, _ in node.value}) == len(node.value):
                continue
            for name, keys in _repeated(node).items():
                yield _fault((*path, name), keys, embedded)


def _repeated(node: Node) -> dict[str, list[Node]]:
    places: dict[str, list[Node]] = {}
    for key, _ in node.value:
        places.setdefault(key.value, []).append(key)
    return {name: keys for name, keys in places.items() if len(keys) > 1}


def _fault(path: tuple[str | int, ...], keys: list[Node], embedded: Embedded) -> Fault:
    first, last = (embedded.lines.at(key.start)[0] for key in (keys[0], keys[-1]))
    times = "twice" if len(keys) == 2 else f"{len(keys)} times"  # noqa: PLR2004
    where = f"line {first}" if first == last else f"lines {first} and {last}"
    return Fault(
        path=path,
        message=f"stands here {times} ({where}); Terway uses the last",
        fix="delete all but one",
        node=keys[-1],
    )
