"""A key of vswitches is no zone.

Terway looks up the node's zone; a key that no node's zone equals is never found, and the node's
own vSwitch is used without a word (daemon/builder.go:261; pkg/eni/node_reconcile.go:115, v1.17.5).
A region instead of a zone is the usual mistake.

Wrong: eni_conf: {"vswitches": {"cn-hangzhou": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}}
Right: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, resources, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "zone-key"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error for a region, a warning for anything else that is no zone."""
    for zone in (document.values or {}).get("vswitches") or {}:
        path = (document.conf.key, "vswitches", zone)
        if resources.is_region(zone):
            known = quoting.may_name(zone, document.secrets)
            yield Fault(
                path=path,
                message="this is a region; Terway looks up zones",
                fix=f"use a zone such as {zone if known else 'cn-hangzhou'}-g",
                level=Level.ERROR,
            )
        elif not resources.is_zone(zone) and not templates.in_value(zone):
            yield Fault(
                path=path,
                message="this is no zone; no node will find it and its own vSwitch is used",
                fix="use the zone's ID, such as cn-hangzhou-g",
            )
