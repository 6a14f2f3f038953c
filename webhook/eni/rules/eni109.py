"""A key of the CNI file is set by Terway or read by nobody.

terway-cli writes bandwidth_mode itself, always (cmd/terway-cli/cni.go:280-284); nothing reads
veth_prefix from here (plugin/terway/cni.go:35, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "bandwidth_mode": "edt"}
Right: 10-terway.conf: {"type": "terway", "capabilities": {"bandwidth": true}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "cni-key-ignored"
LEVEL = Level.WARNING
_KEYS = {"bandwidth_mode": "is always set by terway-cli", "veth_prefix": "is not read by Terway"}


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each such key."""
    for path, _, plugin in document.terway:
        for name in _KEYS.keys() & plugin.keys():
            yield Fault(path=(*path, name), message=_KEYS[name], fix="delete it")
