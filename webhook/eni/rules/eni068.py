"""A duration has no unit, or is none.

terwayd parses idle_ip_reclaim_after and idle_ip_reclaim_interval with time.ParseDuration and stops
(daemon/config.go:173-185). ip_pool_sync_period falls back to 120s without a word
(types/daemon/config.go:109, v1.17.5): a warning.

Wrong: eni_conf: {"idle_ip_reclaim_after": "60"}
Right: eni_conf: {"idle_ip_reclaim_after": "60s"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "duration"
LEVEL = Level.ERROR
_FATAL = ("idle_ip_reclaim_after", "idle_ip_reclaim_interval")


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each text that Go refuses as a duration."""
    values = document.values or {}
    for name in (*_FATAL, "ip_pool_sync_period"):
        value = values.get(name)
        if value is None or templates.in_value(value) or golang.parse_duration(value) is not None:
            continue
        if name in _FATAL:
            effect, level = "terwayd stops", LEVEL
        elif value:
            effect, level = "Terway takes 120s", Level.WARNING
        else:
            continue
        yield Fault(
            path=(document.conf.key, name),
            message=f"{quoting.shown(value, document.secrets)} is no duration; {effect}",
            fix='write a number with its unit, such as "60s" or "1h30m"',
            level=level,
        )
