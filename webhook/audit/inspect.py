"""Judge objects one by one and explain: the rule, the proof, the patch, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from webhook.admission import configmap
from webhook.audit.excerpt import cut
from webhook.audit.report import Report, Row
from webhook.eni import document, lint, quoting
from webhook.findings import Finding, Location
from webhook.patch import steps
from webhook.placement import proof, selector
from webhook.placement.model import Proof
from webhook.placement.pin import Outcome
from webhook.policy.decide import Source
from webhook.policy.evaluate import Verdict, evaluate, unreadable
from webhook.policy.model import Policy
from webhook.policy.words import Action, Placement
from webhook.workloads import ShapeError, Workload, read, ref_of, retired

Path = tuple[str | int, ...]


class Origin(Protocol):
    """The place an object comes from: a file, or a cluster."""

    @property
    def file(self) -> str:
        """Its name."""

    def locate(self, path: Path, embedded: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return line and column of what stands at a path, or inside the text there."""

    def line(self, number: int) -> tuple[str, int]:
        """Return what is at hand of a line of it, and how many characters come before."""


def inspect(
    obj: dict[str, Any],
    policy: Policy,
    report: Report,
    *,
    source: Origin,
    namespace_placements: Mapping[str, Placement],
) -> Row | None:
    """Add what an object tells to a report; return the row of one that has a pod template."""
    try:
        workload = read(obj, policy.kinds)
    except ShapeError as error:
        report.findings.append(_placed(unreadable(ref_of(obj), error), source))
        return None
    if workload is None:
        report.other += 1
        report.findings.extend(_eni_findings(obj, policy, source, report))
        return None
    report.workloads += 1
    placement = namespace_placements.get(workload.ref.namespace or "default")
    verdict = evaluate(workload, policy, namespace_placement=placement)
    report.findings.extend(_placed(finding, source) for finding in verdict.findings)
    line, column = source.locate(())
    return Row(
        ref=workload.ref,
        location=Location(file=source.file, line=line, column=column, pointer=""),
        decision=verdict.decision,
        proof=verdict.proof or _proof(workload, policy),
        ops=verdict.ops,
        quiet=None if verdict.ops else _quiet(verdict),
        notes=_notes(verdict),
    )


def _eni_findings(
    obj: dict[str, Any], policy: Policy, source: Origin, report: Report
) -> Iterator[Finding]:
    """Judge a ConfigMap that is Terway's; each finding gets its line, and an excerpt of it."""
    ref, eni = ref_of(obj), policy.eni
    if (ref.kind, ref.namespace) != ("ConfigMap", eni.namespace):
        return
    if not configmap.is_judged(obj, ref.name, eni):
        return
    partial = ref.name != eni.name
    read = document.read(obj, eni.credentials.value, ref=ref, partial=partial)
    masked: dict[int, tuple[str, int]] = {}
    for found in lint.lint(read):
        finding = _placed(found, source)
        place = finding.location
        if place.embedded and place.line and place.column:
            if place.line not in masked:
                line, before = source.line(place.line)
                masked[place.line] = quoting.masked(line, read.secrets), before
            line, before = masked[place.line]
            report.excerpts[place] = cut(line, place.line, place.column - before)
        yield finding


def _placed(finding: Finding, source: Origin) -> Finding:
    """Give a finding its file, line and column; one inside embedded JSON keeps those, too."""
    was = finding.location
    embedded = None if was.line is None or was.column is None else (was.line, was.column)
    line, column = source.locate(steps(was.pointer or ""), embedded)
    location = replace(was, file=source.file, line=line, column=column, embedded=embedded)
    return replace(finding, location=location)


def _proof(workload: Workload, policy: Policy) -> Proof | None:
    """Prove where a workload lands that policy asks nothing of."""
    try:
        return proof.prove(workload.pod_spec, policy.cloud_nodes)
    except ShapeError:
        return None


_QUIET = {
    Outcome.UNCHANGED: "it is right already",
    Outcome.NONE: "it matches no node at all",
    Outcome.CONTRADICTION: "it contradicts itself: nothing could match afterwards",
}


def _quiet(verdict: Verdict) -> str:
    """Say why nothing is added."""
    decision = verdict.decision
    if decision.placement is Placement.ANY:
        if decision.source is Source.DEFAULT:
            return f"{decision.why}: left alone"
        return f"it may run on both sides ({decision.why})"
    if verdict.pin is None:
        return "its pod template cannot be read"
    if verdict.pin.ops and decision.action is not Action.INJECT:
        return f"action is {decision.action}"
    return _QUIET.get(verdict.pin.outcome, "nothing is to be done")


def _notes(verdict: Verdict) -> tuple[str, ...]:
    """Return advice: an API that is gone, and what to do before field managers collide."""
    notes = []
    ref = verdict.workload.ref
    gone = retired(ref)
    if gone:
        notes.append(gone)
    if verdict.ops and selector.raw_terms(verdict.workload.pod_spec):
        notes.append(
            "this manifest sets nodeSelectorTerms itself, and the list has one owner: server-side "
            "apply by another manager, or after client-side apply, will conflict. Cure: put the "
            "term into the manifest with `hybrid-guard patch --in-place`, or apply once with "
            "`--server-side --force-conflicts`"
        )
    return tuple(notes)
