"""Where volumes can be attached: claims, PersistentVolumes, storage classes, and the nodes' labels.

A claim leads to the volume it is bound to; one that waits leads to the node the scheduler chose, or
to the zones its class allows (Kubernetes: volume topology, VolumeBinding).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.placement import proof, selector
from webhook.placement.model import CloudNodes, Side
from webhook.workloads import ShapeError, mapping_of, mappings

_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
KINDS = frozenset({"PersistentVolumeClaim", "PersistentVolume", "StorageClass", "Node"})


@dataclass(frozen=True, slots=True)
class Reach:
    """The sides where a volume can be attached, and the words for what says so."""

    sides: frozenset[Side]
    why: str


@dataclass(frozen=True, slots=True)
class _Claim:
    volume: str | None
    storage_class: str | None
    node: str | None


@dataclass(slots=True)
class Storage:
    """What is known of volumes; small facts alone are kept of the objects."""

    cloud: CloudNodes
    claims: dict[tuple[str, str], _Claim] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    default: str | None = None

    def add(self, obj: Mapping[str, Any]) -> None:
        """Keep what an object says."""
        metadata, spec = mapping_of(obj.get("metadata")), mapping_of(obj.get("spec"))
        annotations = mapping_of(metadata.get("annotations"))
        name = str(metadata.get("name"))
        kind = obj.get("kind")
        if kind == "PersistentVolumeClaim":
            self.claims[str(metadata.get("namespace") or "default"), name] = _Claim(
                volume=_text(spec.get("volumeName")),
                storage_class=_text(spec.get("storageClassName")),
                node=_text(annotations.get(_SELECTED_NODE)),
            )
        elif kind == "PersistentVolume":
            self.volumes[name] = mapping_of(spec.get("nodeAffinity")).get("required")
        elif kind == "StorageClass":
            self.classes[name] = obj.get("allowedTopologies")
            if annotations.get(_DEFAULT_CLASS) == "true":
                self.default = name
        elif kind == "Node":
            labels = mapping_of(metadata.get("labels"))
            self.nodes[name] = {k: v for k, v in labels.items() if isinstance(v, str)}

    def of_claim(self, namespace: str, name: str) -> Reach | None:
        """Return where the volume of a claim can be attached; None where that is not known."""
        claim = self.claims.get((namespace, name))
        if claim is None:
            return None
        if claim.volume is not None:
            required = self.volumes.get(claim.volume)
            return self._of_terms(required, f"PersistentVolume {claim.volume}")
        if claim.node in self.nodes:
            side = self.cloud.side_of(self.nodes[claim.node])
            return Reach(frozenset({side}), f"node {claim.node}, which the scheduler chose")
        return self.of_class(claim.storage_class)

    def of_class(self, name: str | None) -> Reach | None:
        """Return where a volume of a class, or of the default one, will be made."""
        name = name or self.default
        topologies = self.classes.get(name or "")
        if not isinstance(topologies, list):
            return None
        allowed = [mappings(term.get("matchLabelExpressions")) for term in mappings(topologies)]
        terms = [
            {"matchExpressions": [{**one, "operator": "In"} for one in expressions]}
            for expressions in allowed
        ]
        return self._of_terms({"nodeSelectorTerms": terms}, f"StorageClass {name}")

    def _of_terms(self, required: Any, what: str) -> Reach | None:
        """Return which sides terms admit: those of the known nodes that match, if any does."""
        if not isinstance(required, dict):
            return None
        spec = {"affinity": {"nodeAffinity": {selector.REQUIRED[-1]: required}}}
        try:
            parsed = selector.parse(spec)
        except ShapeError:
            return None
        names = [
            name
            for name, labels in self.nodes.items()
            if any(term.admits(labels, name) for term in parsed.terms or ())
        ]
        if names:
            sides = frozenset(self.cloud.side_of(self.nodes[name]) for name in names)
            return Reach(sides, f"{what}, which admits {_listed(names)}")
        proven = proof.prove_parsed(parsed, self.cloud)
        possible = frozenset(side for side in Side if proven.witness(side).possible)
        return Reach(possible, f"{what}, by its node affinity") if possible else None


def _listed(names: list[str]) -> str:
    return f"node {names[0]} alone" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
