"""No security group is named.

The legacy allocator then takes the groups of the node's primary ENI (daemon/builder.go:265). With
`ipam_type: crd` the Node resource requires them and its update fails
(crds/network.alibabacloud.com_nodes.yaml:122, v1.17.5), so there it is an error.

Wrong: eni_conf: {"security_group": "", "security_groups": []}
Right: eni_conf: {"security_group": "sg-bp1h6t3y8c5nq2wz9dkm"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "security-group-missing"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when security_group and security_groups are both blank."""
    values = document.required
    if values is None or values["security_group"] or values["security_groups"]:
        return
    if document.mistyped("security_group") or document.mistyped("security_groups"):
        return
    crd = values["ipam_type"] == "crd"
    yield Fault(
        path=(document.conf.key, "security_group"),
        message="neither this nor security_groups names one; "
        + ("the Node resource is refused" if crd else "the primary ENI's groups apply"),
        fix='write "security_group": "sg-..."',
        level=Level.ERROR if crd else LEVEL,
    )
