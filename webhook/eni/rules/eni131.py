"""A setting of an override has no effect.

service_cidr, the Kubernetes client's rate and the choice of ipam_type are read from eni-config
alone, as are the CNI files and the policy switch (daemon/builder.go:87-119; daemon/daemon.go:821;
cmd/terway-cli/node.go:89, v1.17.5). ip_stack takes effect in part only.

Wrong: override.eni_conf: {"service_cidr": "172.21.0.0/20"}
Right: override.eni_conf: {"max_pool_size": 10}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import BASE_ONLY, ENI_CONF
from webhook.findings import Level

NAME = "dynamic-ineffective"
LEVEL = Level.WARNING
_FROM_BASE = (*BASE_ONLY, "ipam_type", "enable_erdma")


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each key and data key without effect."""
    root = document.conf.root
    if not document.partial:
        return
    for key, _ in root.value if root is not None and root.kind == "object" else ():
        if key.value in _FROM_BASE or key.value == "ip_stack":
            in_part = key.value == "ip_stack"
            yield Fault(
                path=(document.conf.key, key.value),
                message="takes effect in part only" if in_part else "is read from eni-config only",
                fix="set it in eni-config",
                node=key,
            )
    for name in document.data:
        if name != ENI_CONF:
            yield Fault(
                path=("data", str(name)),
                message="is read from eni-config only",
                fix="set it in eni-config",
            )
