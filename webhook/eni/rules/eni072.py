"""A back-off would never try.

An entry of backoff_override replaces the default as a whole (pkg/backoff/backoff.go:223): without
`Steps` the action is not run even once (apimachinery util/wait/backoff.go:493), so no ENI is ever
made. Durations are whole numbers of nanoseconds; "10s" stops terwayd (v1.17.5).

Wrong: eni_conf: {"backoff_override": {"eni_create": {"Duration": 10000000000}}}
Right: eni_conf: {"backoff_override": {"eni_create": {"Duration": 10000000000, "Steps": 3}}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import BACKOFF, BACKOFF_KEYS
from webhook.eni.jsontext import Node
from webhook.eni.shapes import Path, folded
from webhook.findings import Level

NAME = "backoff"
LEVEL = Level.ERROR
_DURATIONS = ("InitialDelay", "Duration", "Cap")


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield errors for what stops an action, warnings for unknown names."""
    node = document.conf.get("backoff_override")
    entries = {} if node is None else node.members()
    for name, entry in ((document.values or {}).get("backoff_override") or {}).items():
        path: Path = (document.conf.key, "backoff_override", name)
        if name not in BACKOFF_KEYS:
            yield Fault(
                path=path,
                message="Terway has no back-off of this name",
                fix="write a known name, such as eni_create",
                level=Level.WARNING,
            )
        if entry["Steps"] <= 0 and not {path[1:], (*path[1:], "Steps")} & document.wrong_paths:
            yield Fault(
                path=(*path, "Steps"),
                message="is not above 0, so the action would never run",
                fix="write Steps of 1 or more",
            )
        yield from _keys(path, entries.get(name))


def _keys(path: Path, entry: Node | None) -> Iterator[Fault]:
    if entry is None or entry.kind != "object":
        return
    for key, value in entry.value:
        if key.value in _DURATIONS and value.kind == "string":
            yield Fault(
                path=(*path, key.value),
                message="is a text; durations here are whole numbers of nanoseconds",
                fix="write nanoseconds without quotes: 10s is 10000000000",
                node=value,
            )
        if folded(key.value) not in BACKOFF.folded:
            yield Fault(
                path=(*path, key.value),
                message="is no part of a back-off and is ignored",
                fix="delete it",
                node=key,
                level=Level.WARNING,
            )
