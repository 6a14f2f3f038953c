"""A value is no vSwitch ID.

IDs begin with `vsw-` and have lower-case letters and digits. The cloud's API refuses any other
when the first ENI is made (pkg/vswitch, called from daemon/builder.go:261, v1.17.5).

Wrong: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vpc-bp1q7d2m4k9tw3zr8hvnc"]}}
Right: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import resources, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "vswitch-id"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each entry that is no ID; samples are ENI048's."""
    for path, value in resources.vswitches(document):
        if resources.is_vswitch(value) or resources.is_placeholder(value):
            continue
        if not templates.in_value(value):
            yield Fault(
                path=path,
                message=resources.why_no_id(value, "vsw-", document.secrets),
                fix="take the ID from the VPC console",
            )
