"""vswitch_selection_policy is unknown.

Only `ordered` is special (the vSwitch with the most free addresses first); any other text means
random (daemon/config.go:30-35; pkg/eni/node_reconcile.go:154, v1.17.5).

Wrong: eni_conf: {"vswitch_selection_policy": "most"}
Right: eni_conf: {"vswitch_selection_policy": "ordered"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "vswitch-selection-policy"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other value."""
    value = (document.values or {}).get("vswitch_selection_policy", "")
    if value not in ("", "ordered", "random") and not templates.in_value(value):
        yield Fault(
            path=(document.conf.key, "vswitch_selection_policy"),
            message=f"{quoting.shown(value, document.secrets)} acts as random",
            fix="write ordered (most free addresses first) or random",
        )
