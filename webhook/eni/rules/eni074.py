"""The settings of prefix mode do not fit.

ipv6_prefix_count may be 0 or 1; more stops terwayd (daemon/builder.go:676). enable_ip_prefix works
with `ipam_type: crd` only (daemon/builder.go:492), and the counts only with it (v1.17.5).

Wrong: eni_conf: {"ipam_type": "crd", "enable_ip_prefix": true, "ipv6_prefix_count": 2}
Right: eni_conf: {"ipam_type": "crd", "enable_ip_prefix": true, "ipv6_prefix_count": 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "ip-prefix"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error for a count that stops terwayd, warnings for what has no effect."""
    values = document.values
    if values is None:
        return
    if values["ipv6_prefix_count"] not in (0, 1):
        yield Fault(
            path=(document.conf.key, "ipv6_prefix_count"),
            message=f"{values['ipv6_prefix_count']} stops terwayd with enable_ip_prefix",
            fix="write 0 or 1",
        )
    if document.partial:
        return
    if values["enable_ip_prefix"] and values["ipam_type"] != "crd":
        yield Fault(
            path=(document.conf.key, "enable_ip_prefix"),
            message="has no effect without ipam_type crd",
            fix='write "ipam_type": "crd", or drop it',
            level=Level.WARNING,
        )
    for name in ("ipv4_prefix_count", "ipv6_prefix_count"):
        if values[name] and not values["enable_ip_prefix"]:
            yield Fault(
                path=(document.conf.key, name),
                message="has no effect without enable_ip_prefix",
                fix='write "enable_ip_prefix": true, or drop it',
                level=Level.WARNING,
            )
