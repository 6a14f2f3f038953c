"""eni_conf is JSON, but not an object.

Terway decodes it into a structure; an array, a string, a number or a boolean stops it
(types/daemon/config.go:201). A top-level null decodes to all defaults and passes here.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument
from webhook.findings import Finding, Level

ID = "ENI005"
SUMMARY = "eni_conf is not a JSON object"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Finding]:
    """Yield a finding when the top level is something else."""
    root = document.root
    if root is not None and document.fields is None:
        article = "an" if root.kind == "array" else "a"
        yield document.finding(
            ID,
            LEVEL,
            "eni_conf",
            f"must be a JSON object, found {article} {root.kind}",
            fix="wrap it in { }",
            node=root,
        )
