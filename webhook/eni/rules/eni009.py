"""A key no longer does anything.

Older releases read it; the structure of today has no such field, or nothing looks at it
(types/daemon/config.go:33-89 over all tags up to v1.17.5).

Wrong: eni_conf: {"eni_cap_policy": "prefer_trunk"}
Right: eni_conf: {"eni_cap_ratio": 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import REMOVED, UNREAD
from webhook.findings import Level

NAME = "ignored-key"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each key that nothing reads."""
    root = document.conf.root
    for key, _ in root.value if root is not None and root.kind == "object" else ():
        name = key.value
        if name not in REMOVED and name not in UNREAD:
            continue
        last = REMOVED.get(name)
        yield Fault(
            path=(document.conf.key, name),
            message=f"is not read after Terway {last}" if last else "is never read by Terway",
            fix="delete it",
            node=key,
        )
