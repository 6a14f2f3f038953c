"""idle_ip_reclaim_batch_size is out of range.

Documented are 1 to 10; 0 and below mean 5 (types/daemon/config.go:135, v1.17.5).

Wrong: eni_conf: {"idle_ip_reclaim_batch_size": 50}
Right: eni_conf: {"idle_ip_reclaim_batch_size": 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "reclaim-batch"
LEVEL = Level.WARNING
_RANGE = range(1, 11)


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when it is set and outside the range."""
    name = "idle_ip_reclaim_batch_size"
    size = (document.values or {}).get(name)
    if document.has(name) and not document.mistyped(name) and size not in _RANGE:
        yield Fault(
            path=(document.conf.key, name),
            message=f"{size} is outside 1 to 10",
            fix="write a number from 1 to 10",
        )
