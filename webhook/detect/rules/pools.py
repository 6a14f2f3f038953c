"""Calico's IP pools, as IPPool resources have them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.detect.texts import shown, truth, word
from webhook.workloads import mapping_of


class Encapsulation(enum.IntEnum):
    """What a pool encapsulates; the later ones go further, what cannot be read the furthest."""

    NEVER = 1
    CROSS_SUBNET = 2
    ALWAYS = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One pool and where it was read."""

    text: str
    encapsulation: Encapsulation


_MODES = {
    "": Encapsulation.NEVER, "never": Encapsulation.NEVER, "always": Encapsulation.ALWAYS,
    "crosssubnet": Encapsulation.CROSS_SUBNET,
}  # fmt: skip


def from_resources(objects: list[Mapping[str, Any]]) -> list[Pool]:
    """Return the pools that give pods addresses; IPv6 ones only where there are no others."""
    found = [(obj, mapping_of(obj.get("spec"))) for obj in objects]
    used = [(obj, spec) for obj, spec in found if _is_used(spec)]
    return [_pool(obj, spec) for obj, spec in without_ipv6(used)]


def without_ipv6(
    found: list[tuple[Mapping[str, Any], dict[str, Any]]],
) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Drop the pools of IPv6 where there are others: IP-in-IP is not for them."""
    return [one for one in found if ":" not in word(one[1].get("cidr"))] or found


def _is_used(spec: Mapping[str, Any]) -> bool:
    uses = spec.get("allowedUses")
    for_pods = not isinstance(uses, list) or not uses or "Workload" in uses
    nowhere = word(spec.get("nodeSelector")).replace(" ", "") == "!all()"
    return for_pods and not nowhere and not truth(word(spec.get("disabled")))


def _pool(obj: Mapping[str, Any], spec: Mapping[str, Any]) -> Pool:
    name = shown(mapping_of(obj.get("metadata")).get("name"))
    modes = {key: word(spec.get(key)) for key in ("ipipMode", "vxlanMode")}
    said = ", ".join(f"{key} {shown(mode)}" for key, mode in modes.items() if mode)
    return Pool(
        text=f"IPPool {name}: {said or 'neither ipipMode nor vxlanMode'}",
        encapsulation=max(
            _MODES.get(mode.lower(), Encapsulation.UNKNOWN) for mode in modes.values()
        ),
    )
