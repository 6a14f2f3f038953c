"""A value is no security group ID.

IDs begin with `sg-` and have lower-case letters and digits. The cloud's API refuses any other when
the first ENI is made (pkg/aliyun/client/ecs.go:59, v1.17.5).

Wrong: eni_conf: {"security_group": "vsw-bp1h6t3y8c5nq2wz9dkm"}
Right: eni_conf: {"security_group": "sg-bp1h6t3y8c5nq2wz9dkm"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import resources, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "security-group-id"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each entry that is no ID; samples are ENI048's."""
    for path, value in resources.security_groups(document):
        if resources.is_security_group(value) or resources.is_placeholder(value):
            continue
        if not templates.in_value(value):
            yield Fault(
                path=path,
                message=resources.why_no_id(value, "sg-", document.secrets),
                fix="take the ID from the ECS console",
            )
