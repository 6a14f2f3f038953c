"""Judge objects one by one and explain: the rule, the proof, the patch, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from webhook.admission import configmap
from webhook.audit.report import Report, Row
from webhook.eni import document, lint
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

Locate = Callable[[tuple[str | int, ...]], tuple[int, int]]


def inspect(
    obj: dict[str, Any],
    policy: Policy,
    report: Report,
    *,
    file: str,
    locate: Locate,
    namespace_placements: Mapping[str, Placement],
) -> None:
    """Add one object's row and findings to a report."""
    try:
        workload = read(obj, policy.kinds)
    except ShapeError as error:
        report.findings.append(_placed(unreadable(ref_of(obj), error), file, locate))
        return
    if workload is None:
        report.other += 1
        report.findings.extend(_eni_findings(obj, policy, file, locate))
        return
    placement = namespace_placements.get(workload.ref.namespace or "default")
    verdict = evaluate(workload, policy, namespace_placement=placement)
    report.findings.extend(_placed(finding, file, locate) for finding in verdict.findings)
    line, column = locate(())
    report.rows.append(
        Row(
            ref=workload.ref,
            location=Location(file=file, line=line, column=column, pointer=""),
            decision=verdict.decision,
            proof=verdict.proof or _proof(workload, policy),
            ops=verdict.ops,
            quiet=None if verdict.ops else _quiet(verdict),
            notes=_notes(verdict),
        )
    )


def _eni_findings(obj: dict[str, Any], policy: Policy, file: str, locate: Locate) -> list[Finding]:
    """Judge a ConfigMap that is Terway's; the line is that of eni_conf in the file."""
    ref, eni = ref_of(obj), policy.eni
    if (ref.kind, ref.namespace) != ("ConfigMap", eni.namespace):
        return []
    if not configmap.is_judged(obj, ref.name, eni):
        return []
    partial = ref.name != eni.name
    read = document.read(obj, eni.credentials.value, ref=ref, partial=partial)
    return [_placed(finding, file, locate) for finding in lint.lint(read)]


def _placed(finding: Finding, file: str, locate: Locate) -> Finding:
    """Give a finding its file, line and column."""
    line, column = locate(steps(finding.location.pointer or ""))
    location = replace(finding.location, file=file, line=line, column=column)
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
