"""A report as values: one row for each workload, and every finding, in the order of the input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from webhook.audit.excerpt import Excerpt
from webhook.explain.explanation import Explanation
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.patch import Add
from webhook.placement.model import Proof
from webhook.policy.evaluate import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One workload: who decided what, where it can land, what admission would add, and why not.

    `quiet` says why nothing is added; `notes` hold advice about this object; `more` is what
    `explain` finds out beside.
    """

    ref: ObjectRef
    location: Location
    decision: Decision
    proof: Proof | None
    ops: tuple[Add, ...]
    quiet: str | None
    notes: tuple[str, ...] = ()
    more: Explanation | None = None


@dataclass(slots=True)
class Report:
    """What a run found; it fills while the rows are made, which it does not keep.

    `workloads` and `other` count objects with and without a pod template. `complete`: the run was
    not stopped halfway. `accepted` counts findings that a baseline took out; `resolved` names those
    of it that are gone.
    """

    findings: list[Finding] = field(default_factory=list)
    workloads: int = 0
    other: int = 0
    complete: bool = True
    accepted: int = 0
    resolved: list[str] = field(default_factory=list)
    _excerpts: dict[tuple[ObjectRef | None, Location], Excerpt] = field(default_factory=dict)

    def show(self, finding: Finding, excerpt: Excerpt | None) -> Finding:
        """Keep what a finding speaks of, where that is to be shown."""
        if excerpt is not None:
            self._excerpts[finding.object, finding.location] = excerpt
        return finding

    def excerpt(self, finding: Finding) -> Excerpt | None:
        """Return what a finding speaks of."""
        return self._excerpts.get((finding.object, finding.location))

    def count(self, level: Level) -> int:
        """Return how many findings have a level."""
        return sum(finding.level is level for finding in self.findings)

    @property
    def has_errors(self) -> bool:
        """Whether the exit status is 1."""
        return self.count(Level.ERROR) > 0


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by level, errors first, each level in the order of the input."""
    levels = list(Level)
    return sorted(findings, key=lambda finding: levels.index(finding.level))
