"""idle_ip_reclaim_jitter_factor is no factor.

It is a number in quotes; terwayd stops where strconv.ParseFloat refuses it (daemon/config.go:186,
v1.17.5). Documented are 0.0 to 1.0.

Wrong: eni_conf: {"idle_ip_reclaim_jitter_factor": "10%"}
Right: eni_conf: {"idle_ip_reclaim_jitter_factor": "0.1"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "jitter"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error for what is no number, a warning outside 0 to 1."""
    value = (document.values or {}).get("idle_ip_reclaim_jitter_factor")
    if value is None or templates.in_value(value):
        return
    number = golang.parse_float(value)
    if number is not None and 0 <= number <= 1:
        return
    shown = quoting.shown(value, document.secrets)
    yield Fault(
        path=(document.conf.key, "idle_ip_reclaim_jitter_factor"),
        message=f"{shown} is no number" if number is None else f"{shown} is not between 0 and 1",
        fix='write a number in quotes, such as "0.1"',
        level=LEVEL if number is None else Level.WARNING,
    )
