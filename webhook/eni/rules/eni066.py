"""eni_cap_ratio is above 1.

The ratio is of the ENIs the instance type has; above 1 Terway counts on more than there are and the
cloud refuses them (daemon/config.go:91, 124, v1.17.5).

Wrong: eni_conf: {"eni_cap_ratio": 1.5}
Right: eni_conf: {"eni_cap_ratio": 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "cap-ratio"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault above 1."""
    if (document.values or {}).get("eni_cap_ratio", 0) > 1:
        yield Fault(
            path=(document.conf.key, "eni_cap_ratio"),
            message="asks for more ENIs than the instance has",
            fix="write a number up to 1",
        )
