"""eni_selection_policy is unknown.

Only `least_ips` is special; any other text means most_ips (pkg/eni/manager.go:175, v1.17.5).

Wrong: eni_conf: {"eni_selection_policy": "least"}
Right: eni_conf: {"eni_selection_policy": "least_ips"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "eni-selection-policy"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other value."""
    value = (document.values or {}).get("eni_selection_policy", "")
    if value not in ("", "most_ips", "least_ips") and not templates.in_value(value):
        yield Fault(
            path=(document.conf.key, "eni_selection_policy"),
            message=f"{quoting.shown(value, document.secrets)} acts as most_ips",
            fix="write most_ips or least_ips",
        )
