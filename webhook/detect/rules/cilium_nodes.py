"""CiliumNodeConfig: cilium-config otherwise, on every node or on some.

The agent's init container lays them over cilium-config, in the order of their names (cilium
pkg/option/resolver, readNodeConfigs). An empty selector is every node's, none at all is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from webhook.detect.texts import shown, word
from webhook.workloads import mapping_of


def everywhere(objects: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return what is set for every node."""
    return {
        key: value
        for _, selector, defaults in _read(objects)
        if selector is not None and not any(selector.values())
        for key, value in defaults.items()
    }


def somewhere(objects: list[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and settings of those that select nodes."""
    for name, selector, defaults in _read(objects):
        if selector is not None and any(selector.values()):
            yield shown(name), defaults


def _read(
    objects: list[Mapping[str, Any]],
) -> list[tuple[str, dict[str, Any] | None, dict[str, str]]]:
    found = []
    for obj in objects:
        spec = mapping_of(obj.get("spec"))
        selector = spec.get("nodeSelector")
        defaults = {key: word(value) for key, value in mapping_of(spec.get("defaults")).items()}
        name = word(mapping_of(obj.get("metadata")).get("name"))
        found.append((name, selector if isinstance(selector, dict) else None, defaults))
    return sorted(found, key=lambda one: one[0])
