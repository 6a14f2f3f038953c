"""A minimum is above its maximum.

Terway cuts min_pool_size to max_pool_size (daemon/config.go:100-151); a warm-up above the maximum
makes addresses that are given back at once (docs/warm-up.md:26, v1.17.5).

Wrong: eni_conf: {"max_pool_size": 5, "min_pool_size": 10}
Right: eni_conf: {"max_pool_size": 10, "min_pool_size": 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "pool-min-max"
LEVEL = Level.WARNING
_PAIRS = (
    ("min_pool_size", "max_pool_size", "is cut to"),
    ("min_eni", "max_eni", "is above"),
    ("ip_warm_up_size", "max_pool_size", "is wasted above"),
)


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each pair the wrong way round; 0 is no maximum for ENIs."""
    values = document.values or {}
    for low, high, effect in _PAIRS:
        if not (document.has(low) and document.has(high)):
            continue
        small, large = values[low] or 0, values[high]
        if small > large and (large or high != "max_eni"):
            yield Fault(
                path=(document.conf.key, low),
                message=f"{small} {effect} {high} {large}",
                fix=f"write at most {large}, or raise {high}",
            )
