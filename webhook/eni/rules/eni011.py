"""A setting stands in the wrong document.

Each document has its readers: ip_stack in the CNI file is never looked at, although a sample of
Terway's shows it there (docs/ipv6.md:16), and eniip_virtual_type in eni_conf neither
(types/daemon/config.go:33-89; cmd/terway-cli/cni.go:205-219, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "ip_stack": "dual"}
Right: eni_conf: {"ip_stack": "dual"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CNI_ONLY, CONFIG
from webhook.findings import Level

NAME = "wrong-document"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each key that belongs into the other document."""
    root = document.conf.root
    for key, _ in root.value if root is not None and root.kind == "object" else ():
        if key.value in CNI_ONLY:
            yield Fault(
                path=(document.conf.key, key.value),
                message="is read from the CNI file only",
                fix="move it to 10-terway.conf",
                node=key,
            )
    for path, plugin, _ in document.plugins:
        for key, _ in plugin.value:
            if key.value in CONFIG.fields:
                yield Fault(
                    path=(*path, key.value),
                    message="is read from eni_conf only",
                    fix="move it to eni_conf",
                    node=key,
                )
