"""Too many security groups.

An ENI takes ten. terwayd counts the list alone (types/daemon/config.go:153), the control plane the
union of security_group and security_groups (dynamicconfig.go:62, v1.17.5). Before v1.13.6 five
were the most.

Wrong: eni_conf: {"security_groups": ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"]}
Right: eni_conf: {"security_groups": ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"]}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "security-group-count"
LEVEL = Level.WARNING
_MOST = 10
_MOST_BEFORE = 5


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error over ten, a warning over five."""
    values = document.values
    if values is None:
        return
    listed = values["security_groups"] or []
    union = {*listed, values["security_group"]} - {""}
    count = max(len(listed), len(union))
    if count > _MOST_BEFORE:
        yield Fault(
            path=(document.conf.key, "security_groups"),
            message=f"{count} security groups, with security_group; at most 10 (5 before v1.13.6)",
            fix="remove some",
            level=Level.ERROR if count > _MOST else LEVEL,
        )
