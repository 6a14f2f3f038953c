"""The volumes that a workload's pods bring along: claims that exist, or are made from a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from webhook.workloads import Workload, mapping_of

Path = tuple[str | int, ...]
_MOST_REPLICAS = 1000  # whose claims are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One volume of a pod template: the names its claims may have, and the class of new ones.

    `path` leads from the object's root to where it stands. `new`: claims are made where none are.
    """

    path: Path
    claims: tuple[str, ...] = ()
    storage_class: str | None = None
    new: bool = False


def wanted(workload: Workload) -> Iterator[Wanted]:
    """Yield what a workload asks for, in its order."""
    spec = workload.pod_spec
    for index, volume in enumerate(_list(spec.get("volumes"))):
        path: Path = (*workload.kind.pod_spec, "volumes", index)
        claim = mapping_of(mapping_of(volume).get("persistentVolumeClaim")).get("claimName")
        made = mapping_of(mapping_of(volume).get("ephemeral")).get("volumeClaimTemplate")
        if isinstance(claim, str):
            yield Wanted(path=path, claims=(claim,))
        elif isinstance(made, dict):
            yield Wanted(path=path, storage_class=_class_of(made), new=True)
    if workload.kind.kind == "StatefulSet":
        yield from _of_templates(workload)


def _of_templates(workload: Workload) -> Iterator[Wanted]:
    """Yield the claims of a StatefulSet: TEMPLATE-NAME-ORDINAL."""
    spec = mapping_of(workload.object.get("spec"))
    ordinals = list(islice(_ordinals(spec), _MOST_REPLICAS))
    for index, template in enumerate(_list(spec.get("volumeClaimTemplates"))):
        name = mapping_of(mapping_of(template).get("metadata")).get("name")
        yield Wanted(
            path=("spec", "volumeClaimTemplates", index),
            claims=tuple(f"{name}-{workload.ref.name}-{ordinal}" for ordinal in ordinals),
            storage_class=_class_of(template),
            new=True,
        )


def _ordinals(spec: dict[str, Any]) -> Iterator[int]:
    replicas, start = spec.get("replicas"), mapping_of(spec.get("ordinals")).get("start")
    first = start if isinstance(start, int) else 0
    return iter(range(first, first + (replicas if isinstance(replicas, int) else 1)))


def _class_of(claim: Any) -> str | None:
    name = mapping_of(mapping_of(claim).get("spec")).get("storageClassName")
    return name if isinstance(name, str) and name else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
