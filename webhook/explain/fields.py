"""managedFields: who says that a field of the node affinity is theirs.

What admission adds belongs to nobody: the API server computes managedFields before it asks
webhooks (apiserver, endpoints/handlers/update.go). The required terms are one field: who owns
`requiredDuringSchedulingIgnoredDuringExecution` owns all of them (a NodeSelector is atomic).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.workloads import WorkloadKind, mapping_of

_NODE_AFFINITY = ("affinity", "nodeAffinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A field manager and what it owns of a pod spec; `operation` is Apply or Update."""

    manager: str
    operation: str
    fields: tuple[str, ...]
    time: str | None


def writers(obj: Mapping[str, Any], kind: WorkloadKind) -> list[Writer]:
    """Return who owns what says where pods land, in the order of the object."""
    entries = mapping_of(obj.get("metadata")).get("managedFields")
    found = []
    for entry in map(mapping_of, entries if isinstance(entries, list) else ()):
        owned = tuple(_owned(_at(mapping_of(entry.get("fieldsV1")), kind.pod_spec)))
        if owned:
            time = entry.get("time")
            found.append(
                Writer(
                    manager=str(entry.get("manager")),
                    operation=str(entry.get("operation")),
                    fields=owned,
                    time=time if isinstance(time, str) else None,
                )
            )
    return found


def managers(obj: Mapping[str, Any]) -> set[str]:
    """Return the names of all field managers, whatever they own."""
    entries = mapping_of(obj.get("metadata")).get("managedFields")
    found = map(mapping_of, entries if isinstance(entries, list) else ())
    return {str(entry["manager"]) for entry in found if entry.get("manager")}


def _owned(fields: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what an entry owns of node affinity, each as a path below the pod spec."""
    if fields is None:
        return
    node_affinity = _at(fields, _NODE_AFFINITY)
    parts = [key.removeprefix("f:") for key in node_affinity or () if key.startswith("f:")]
    if parts:
        yield from (".".join((*_NODE_AFFINITY, part)) for part in parts)
    elif "f:affinity" in fields:
        yield "affinity"
    if "f:nodeSelector" in fields:
        yield "nodeSelector"


def _at(fields: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any] | None:
    """Return what an entry owns below a path, or None; `f:` marks a field."""
    for step in path:
        below = fields.get(f"f:{step}")
        if not isinstance(below, dict):
            return None
        fields = below
    return fields
