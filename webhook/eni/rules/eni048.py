"""A resource ID is that of a sample.

`vsw-xxx` or `sg-foo` comes from a document; the cloud knows no such resource and no ENI is made
(pkg/aliyun/client/ecs.go:59, v1.17.5).

Wrong: eni_conf: {"security_group": "sg-xxxxxx"}
Right: eni_conf: {"security_group": "sg-bp1h6t3y8c5nq2wz9dkm"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import resources
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "resource-placeholder"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each sample value."""
    for path, value in (*resources.vswitches(document), *resources.security_groups(document)):
        if resources.is_placeholder(value):
            yield Fault(
                path=path,
                message="this is the value of a sample",
                fix="write the ID of your own resource",
            )
