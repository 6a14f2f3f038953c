"""An override's eni_conf is not an object.

An RFC 7396 merge patch that is a list replaces the whole configuration, and decoding fails; a
scalar, null or a blank text is refused; terwayd stops either way (types/daemon/config.go:206,
v1.17.5).

Wrong: override.eni_conf: [{"max_pool_size": 10}]
Right: override.eni_conf: {"max_pool_size": 10}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "dynamic-not-object"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the top level is anything else."""
    root = document.conf.root
    if document.partial and root is not None and root.kind != "object":
        article = "an" if root.kind == "array" else "a"
        yield Fault(
            path=("data", document.conf.key),
            message=f"must be a JSON object, found {article} {root.kind}; "
            "merged with eni-config it stops terwayd",
            fix="write only the keys to change, in { }",
        )
