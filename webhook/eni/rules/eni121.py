"""in_cluster_loadbalance is neither true nor false.

Only the exact text `true` switches it on (cmd/terway-cli/common.go:73-81, v1.17.5).

Wrong: in_cluster_loadbalance: True
Right: in_cluster_loadbalance: true
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import IN_CLUSTER_LB
from webhook.findings import Level

NAME = "in-cluster-lb"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other text."""
    value = document.data.get(IN_CLUSTER_LB)
    if not document.partial and isinstance(value, str) and value not in ("true", "false"):
        yield Fault(
            path=("data", IN_CLUSTER_LB),
            message='only "true" switches it on',
            fix='write "true" or "false"',
        )
