"""Judge objects one by one and explain: the rule, the proof, the patch, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhook import owners
from webhook.admission import scope
from webhook.audit import eni
from webhook.audit.excerpt import Excerpt, of_pod_spec
from webhook.audit.origin import Origin, placed, start_of
from webhook.audit.report import Report, Row
from webhook.findings import Finding
from webhook.patch import steps
from webhook.placement import proof, selector
from webhook.placement.model import Proof
from webhook.placement.pin import Outcome
from webhook.policy import images
from webhook.policy.decide import Source
from webhook.policy.evaluate import Verdict, evaluate, unreadable
from webhook.policy.model import Policy
from webhook.policy.words import Action, Placement
from webhook.workloads import ShapeError, Workload, find_kind, read, ref_of, retired


def inspect(
    obj: dict[str, Any],
    policy: Policy,
    report: Report,
    *,
    source: Origin,
    namespace_placements: Mapping[str, Placement],
) -> Row | None:
    """Add what an object tells to a report; return the row of one that has a pod template."""
    verdict = judged(obj, policy, report, source=source, namespace_placements=namespace_placements)
    return None if verdict is None else row_of(verdict, policy, source)


def judged(
    obj: dict[str, Any],
    policy: Policy,
    report: Report,
    *,
    source: Origin,
    namespace_placements: Mapping[str, Placement],
) -> Verdict | None:
    """Add what an object tells to a report; return the verdict on one that has a pod template."""
    try:
        workload = read(obj, policy.kinds)
    except ShapeError as error:
        report.findings.append(placed(unreadable(ref_of(obj), error), source))
        return None
    if workload is None:
        report.other += 1
        terways = eni.read(obj, policy)
        if terways is not None:
            report.findings.extend(eni.findings(terways, source, report))
        return None
    report.workloads += 1
    placement = namespace_placements.get(workload.ref.namespace or "default")
    verdict = evaluate(workload, policy, namespace_placement=placement)
    findings = verdict.findings
    if verdict.decision.source is not Source.CATALOGUE:
        findings += images.unpullable(workload, verdict.decision.placement, policy)
    for finding in findings:
        where = placed(finding, source)
        report.findings.append(report.show(where, _excerpt(workload, where)))
    return verdict


def _excerpt(workload: Workload, finding: Finding) -> Excerpt | None:
    """Return what the pod spec says where the finding points at."""
    own, path = workload.kind.pod_spec, steps(finding.location.pointer or "")
    if path[: len(own)] != own:
        return None
    return of_pod_spec(workload.pod_spec, path[len(own) :], finding.location.line)


def row_of(verdict: Verdict, policy: Policy, source: Origin) -> Row:
    """Return what there is to tell of a workload beside its findings."""
    untouched = scope.why_untouched(verdict.workload, policy) if verdict.ops else None
    ops = () if untouched else verdict.ops
    return Row(
        ref=verdict.workload.ref,
        location=start_of(source),
        decision=verdict.decision,
        proof=verdict.proof or _proof(verdict.workload, policy),
        ops=ops,
        quiet=None if ops else untouched or _quiet(verdict),
        notes=_notes(verdict),
    )


def is_passed_over(obj: Mapping[str, Any], policy: Policy) -> bool:
    """Tell whether something else speaks for an object, or it is past being judged.

    A controller's ReplicaSets and pods are what its own template says; a pod that has its node
    stays there; what is being deleted goes.
    """
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return False
    if metadata.get("deletionTimestamp") is not None:
        return True
    kind = find_kind(str(obj.get("apiVersion")), str(obj.get("kind")), policy.kinds)
    if kind is None:
        return False
    bound = kind.kind == "Pod" and scope.is_bound(metadata, obj.get("spec"))
    return bound or owners.is_made(metadata, kind, policy.kinds)


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
    if verdict.pin is None and verdict.proof is not None:
        return "its pods are bound to a node by name, whose kubelet would refuse them for ever"
    if verdict.pin is None:
        return "its pod template cannot be judged"
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
