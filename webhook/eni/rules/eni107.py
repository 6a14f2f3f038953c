"""The list of plugins is empty or broken.

terway-cli takes the list where there is one; without an array of objects with a string `type` the
result has no plugin or the init container stops (cmd/terway-cli/cni.go:104-107, 185-201, v1.17.5).

Wrong: 10-terway.conflist: {"cniVersion": "0.4.0", "name": "terway", "plugins": []}
Right: 10-terway.conflist: {"cniVersion": "0.4.0", "name": "terway", "plugins": [{"type":
    "terway"}]}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CNI_CONFLIST
from webhook.findings import Level

NAME = "conflist"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for the list, or for each entry that is no plugin."""
    root = document.cni.root
    if root is None or root.kind != "object":
        return
    listed = root.members().get("plugins")
    path = (document.cni.key, "plugins")
    if listed is None:
        if document.cni.key == CNI_CONFLIST:
            yield Fault(
                path=path, message="is missing", fix='write "plugins": [{"type": "terway"}]'
            )
    elif listed.kind != "array" or not listed.value:
        yield Fault(
            path=path,
            message="must be a list with at least one plugin",
            fix='write "plugins": [{"type": "terway"}]',
        )
    else:
        for index, item in enumerate(listed.value):
            kind = item.members().get("type")
            if kind is None or kind.kind != "string":
                yield Fault(
                    path=(*path, index),
                    message="is no object with a text under type; the init container stops",
                    fix='give it a "type"',
                )
