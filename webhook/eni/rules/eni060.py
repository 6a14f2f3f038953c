"""ip_stack is unknown.

`ipv4` and `dual` in lower case are all there is: with `ipv6` terwayd stops at its start, although
the chart's values and another validator list it (types/daemon/config.go:146-151, v1.17.5).

Wrong: eni_conf: {"ip_stack": "ipv6"}
Right: eni_conf: {"ip_stack": "dual"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "ip-stack"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other value."""
    value = (document.values or {}).get("ip_stack", "")
    if value not in ("", "ipv4", "dual") and not templates.in_value(value):
        yield Fault(
            path=(document.conf.key, "ip_stack"),
            message=f"{quoting.shown(value, document.secrets)} stops terwayd",
            fix="write ipv4 or dual, in lower case",
        )
