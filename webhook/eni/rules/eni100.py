"""The CNI file has no plugin of type terway.

terway-cli switches on the exact text `terway`; `Terway` or the old `terway-plugin` pass through as
foreign plugins, and without a string `type` it stops (cmd/terway-cli/cni.go:185-201, v1.17.5). No
pod then gets an address from Terway.

Wrong: 10-terway.conf: {"cniVersion": "0.4.0", "name": "terway", "type": "Terway"}
Right: 10-terway.conf: {"cniVersion": "0.4.0", "name": "terway", "type": "terway"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "cni-type"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when no plugin is exactly Terway's."""
    plugins = document.plugins
    kinds = [plugin.members.get("type") for plugin in plugins]
    texts = [kind.value for kind in kinds if kind is not None and kind.kind == "string"]
    if not plugins or "terway" in texts:
        return
    found = quoting.shown(texts[0], document.secrets) if texts else "no text"
    yield Fault(
        path=(*plugins[0].path, "type"),
        message=f"must be terway, found {found}; pods would get no address",
        fix='write "type": "terway"',
    )
