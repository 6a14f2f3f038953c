"""Terway's ConfigMaps among the objects: judged alone as they come, or together at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from webhook.admission import configmap
from webhook.audit.excerpt import Excerpt, cut
from webhook.audit.origin import Origin, placed
from webhook.audit.report import Report
from webhook.eni import document, lint, quoting
from webhook.eni.document import EniDocument
from webhook.findings import Finding, Location
from webhook.patch import steps
from webhook.policy.model import Policy
from webhook.workloads import mapping_of, ref_of

_NODE_LABEL = "terway-config"


def read(obj: dict[str, Any], policy: Policy) -> EniDocument | None:
    """Read eni-config or a node-level override of it; None for every other object."""
    ref, eni = ref_of(obj), policy.eni
    if (ref.kind, ref.namespace) != ("ConfigMap", eni.namespace):
        return None
    if not configmap.is_judged(obj, ref.name, eni):
        return None
    partial = ref.name != eni.name
    return document.read(obj, eni.credentials.value, ref=ref, partial=partial)


def findings(one: EniDocument, origin: Origin, report: Report) -> Iterator[Finding]:
    """Judge a document; each finding gets its line, and an excerpt of it goes into the report."""
    lines = _Lines(one, origin)
    for found in lint.lint(one):
        finding = placed(found, origin)
        yield report.show(finding, lines.excerpt(finding.location))


class _Lines:
    """The lines of a document, masked once each: in a file its own, else those of the JSON."""

    def __init__(self, one: EniDocument, origin: Origin) -> None:
        self._one = one
        self._origin = origin
        self._masked: dict[tuple[str | None, int], tuple[str, int]] = {}
        self._embedded: dict[str | None, list[str]] = {}

    def excerpt(self, place: Location) -> Excerpt | None:
        """Return the line of a place inside JSON."""
        if place.embedded is None:
            return None
        line, column = place.line, place.column
        if line is None or column is None:
            line, column = place.embedded
        key = (place.pointer, line)
        if key not in self._masked:
            text, before = self._line(place, line)
            self._masked[key] = quoting.masked(text, self._one.secrets), before
        text, before = self._masked[key]
        return cut(text, line, column - before)

    def _line(self, place: Location, number: int) -> tuple[str, int]:
        if place.line is not None:
            return self._origin.line(number)
        if place.pointer not in self._embedded:
            text = self._one.data.get(str(steps(place.pointer or "")[-1]))
            self._embedded[place.pointer] = str(text).split("\n")
        return self._embedded[place.pointer][number - 1], 0


@dataclass(slots=True)
class Together:
    """Every eni-config and override, and what the nodes' labels name, until all is seen."""

    kept: list[tuple[EniDocument, Origin]] = field(default_factory=list)
    named: Counter[str] = field(default_factory=Counter)
    nodes: int = 0

    def add_node(self, obj: Mapping[str, Any]) -> None:
        """Count what a node's label names."""
        self.nodes += 1
        name = mapping_of(mapping_of(obj.get("metadata")).get("labels")).get(_NODE_LABEL)
        if isinstance(name, str) and name:
            self.named[name] += 1

    def findings(
        self, report: Report, *, crds: frozenset[str] | None, blind: frozenset[str], live: bool
    ) -> Iterator[Finding]:
        """Judge each with the others around it; `crds` are those of Calico, if they are known."""
        overrides = frozenset(one.ref.name for one, _ in self.kept if one.ref and one.partial)
        saw_nodes = (live or self.nodes > 0) and not blind & {"nodes", "configmaps"}
        for one, origin in self.kept:
            around = lint.around(
                one,
                base=self._base(origin) if one.partial else None,
                crds=crds,
                named=self.named if saw_nodes else None,
                overrides=overrides,
            )
            yield from findings(around, origin, report)

    def _base(self, origin: Origin) -> EniDocument | None:
        """Return the eni-config of an override: the only one in its file, its folder, or at all."""
        bases = [(one, place.file) for one, place in self.kept if not one.partial]
        in_file = [one for one, file in bases if file == origin.file]
        beside = [one for one, file in bases if _folder(file) == _folder(origin.file)]
        nearest = in_file or beside or [one for one, _ in bases]
        return nearest[0] if len(nearest) == 1 else None


def _folder(file: str | None) -> PurePath | None:
    return None if file is None else PurePath(file).parent
