"""A size is negative.

The Node resource has a minimum of 0 for pool sizes, so its update fails
(pkg/apis/network.alibabacloud.com/v1beta1/node_types.go:137); a negative ratio or count leaves the
node without an ENI (daemon/config.go:91-151, v1.17.5).

Wrong: eni_conf: {"min_pool_size": -1}
Right: eni_conf: {"min_pool_size": 0}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "negative"
LEVEL = Level.ERROR
_SIZES = (
    "max_pool_size",
    "min_pool_size",
    "ip_warm_up_size",
    "min_eni",
    "max_eni",
    "eni_cap_ratio",
    "kube_client_burst",
    "ipv4_prefix_count",
)


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each size below zero."""
    values = document.values or {}
    for name in _SIZES:
        if (values.get(name) or 0) < 0:
            yield Fault(
                path=(document.conf.key, name),
                message="must not be negative",
                fix="write 0 or more",
            )
