"""An embedded document is not JSON.

terwayd, the control plane and the init container decode eni_conf with Go's JSON parsers, and
terway-cli the CNI file; each stops at the first mistake (types/daemon/config.go:201,
cmd/terway-cli/node.go:96, cmd/terway-cli/cni.go:185, v1.17.5).

Wrong: eni_conf: {"max_pool_size": 5,}
Right: eni_conf: {"max_pool_size": 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.jsontext import Node
from webhook.findings import Level

NAME = "json-syntax"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault where a text stops being JSON."""
    for embedded in document.embedded():
        error = embedded.error
        if error is not None:
            yield Fault(
                path=(embedded.key,),
                message=f"line {error.line} column {error.column}: {error.reason}",
                fix="correct it there; Terway stops at the first mistake",
                node=Node("null", None, error.offset, error.offset),
            )
