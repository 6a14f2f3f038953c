"""An embedded document is JSON, but not an object.

Terway decodes eni_conf into a structure; a list, a string, a number or a boolean stops it
(types/daemon/config.go:201, v1.17.5), while a top-level null decodes to all defaults. terway-cli
finds no `type` in a CNI file that is no object (cmd/terway-cli/cni.go:185).

Wrong: eni_conf: ["version"]
Right: eni_conf: {"version": "1"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import ENI_CONF
from webhook.findings import Level

NAME = "not-an-object"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the top level is something else; of an override ENI130 says so."""
    for embedded in document.embedded():
        root = embedded.root
        fine = ("object", "null") if embedded.key == ENI_CONF else ("object",)
        if root is None or root.kind in fine or document.partial:
            continue
        article = "an" if root.kind == "array" else "a"
        yield Fault(
            path=(embedded.key,),
            message=f"must be a JSON object, found {article} {root.kind}",
            fix="wrap it in { }",
            node=root,
        )
