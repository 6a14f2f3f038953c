"""cniVersion is none that Terway's plugin speaks.

terway-cli writes 0.4.0 itself since v1.5.6; older releases hand the file on as it is, and the
plugin refuses anything but 0.3.0, 0.3.1, 0.4.0 and 1.0.0 (plugin/terway/cni.go:64;
cmd/terway-cli/cni.go:162-183, v1.17.5).

Wrong: 10-terway.conf: {"cniVersion": "2.0", "type": "terway"}
Right: 10-terway.conf: {"cniVersion": "0.4.0", "type": "terway"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "cni-version"
LEVEL = Level.WARNING
_KNOWN = ("0.3.0", "0.3.1", "0.4.0", "1.0.0")


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other version."""
    node = (document.cni.fields or {}).get("cniVersion")
    if node is not None and node.value not in _KNOWN:
        yield Fault(
            path=(document.cni.key, "cniVersion"),
            message="is ignored by today's Terway and refused by old ones",
            fix='write "0.4.0"',
        )
