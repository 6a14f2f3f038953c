"""No vSwitch is named.

Without `vswitches` the pods of each node get addresses from the node's own vSwitch, which is
seldom meant and soon exhausted (types/daemon/config.go; daemon/config.go:55-60, v1.17.5).

Wrong: eni_conf: {"vswitches": {}}
Right: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "vswitches-missing"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when no zone is listed."""
    values = document.required
    if values is not None and not values["vswitches"] and not document.mistyped("vswitches"):
        yield Fault(
            path=(document.conf.key, "vswitches"),
            message="is missing; pods get addresses from each node's own vSwitch",
            fix='list {"ZONE": ["vsw-..."]} for each zone',
        )
