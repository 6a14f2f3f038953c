"""eni_conf is not JSON.

terwayd and the init container decode it with Go's JSON parsers and stop at the first mistake
(types/daemon/config.go:201; cmd/terway-cli/node.go:96).
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument
from webhook.findings import Finding, Level, Location

ID = "ENI003"
SUMMARY = "eni_conf is not JSON"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Finding]:
    """Yield a finding where eni_conf stops being JSON."""
    error = document.error
    if error is not None:
        yield Finding(
            rule=ID,
            level=LEVEL,
            message=f"eni_conf: line {error.line} column {error.column}: {error.reason}",
            fix="correct it there; Terway stops at the first mistake",
            object=document.ref,
            location=Location(line=error.line, column=error.column, pointer="/data/eni_conf"),
        )
