"""The one decision: where a workload belongs, where it can land, what is wrong, what to add.

The webhook, `patch`, `explain` and audits all call `evaluate`, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.patch import Add, pointer
from webhook.placement import pin
from webhook.placement.model import Proof, Side, Sides
from webhook.placement.pin import Outcome, Pin
from webhook.placement.selector import TERMS
from webhook.policy import images
from webhook.policy.decide import Decision, Source, decide
from webhook.policy.model import Policy
from webhook.policy.words import Action, Enforcement, Placement
from webhook.workloads import BUILTIN, BoundError, ShapeError, Workload, dotted

__all__ = ["BEYOND", "BOUND", "Decision", "Source", "Verdict", "evaluate", "unreadable"]

BEYOND = "HG109"
BOUND = "HG108"

_WRONG_SIDE = {Side.ON_PREM: "HG101", Side.CLOUD: "HG102"}
_NODES = {Side.ON_PREM: "on-prem nodes", Side.CLOUD: "cloud nodes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All there is to say about one workload.

    `findings` judge the object as it is written. `ops` are what admission would add (paths from
    the object's root), `patched` is the object with them; without any it is the object itself.
    `proof` and `pin` are None where policy asks for nothing, or the pod spec cannot be read.
    """

    workload: Workload
    decision: Decision
    findings: tuple[Finding, ...]
    patched: dict[str, Any]
    ops: tuple[Add, ...] = ()
    proof: Proof | None = None
    pin: Pin | None = None


def evaluate(
    workload: Workload, policy: Policy, *, namespace_placement: Placement | None = None
) -> Verdict:
    """Judge a workload under a policy.

    Never raises: what cannot be read is a finding (HG100), as is what is beyond a bound (HG109).
    """
    decision = decide(workload, policy, namespace_placement=namespace_placement)
    known: tuple[Finding, ...] = (decision.problem,) if decision.problem else ()
    if decision.source is Source.CATALOGUE:
        known += images.unpullable(workload, decision.placement, policy)
    side = decision.placement.side
    if side is None:
        return _as_it_is(workload, decision, known)
    if workload.beyond is not None:
        return _as_it_is(workload, decision, (*known, _beyond(workload, workload.beyond)))
    if _has_no_pods(workload):
        return _as_it_is(workload, decision, known)
    if not workload.pod_spec:
        missing = ShapeError(workload.kind.pod_spec, "is missing: there is no pod template")
        return _as_it_is(workload, decision, (*known, unreadable(workload.ref, missing)))
    try:
        pinned = _pin(workload, decision, side, policy)
    except BoundError as error:
        why = f"{error.path[-1]} {error.message}"
        return _as_it_is(workload, decision, (*known, _beyond(workload, why)))
    except ShapeError as error:
        placed = ShapeError((*workload.kind.pod_spec, *error.path), error.message)
        return _as_it_is(workload, decision, (*known, unreadable(workload.ref, placed)))
    node = _bound_to(workload)
    if node and pinned.ops:
        told = (*known, _bound(workload, decision, side, node))
        return Verdict(
            workload=workload, decision=decision, findings=told,
            patched=workload.object, proof=pinned.proof,
        )  # fmt: skip
    ops: tuple[Add, ...] = ()
    patched = workload.object
    if decision.action is Action.INJECT and pinned.ops:
        ops = tuple(op.under(workload.kind.pod_spec) for op in pinned.ops)
        patched = _with_spec(workload, pinned.spec)
    return Verdict(
        workload=workload,
        decision=decision,
        findings=(*known, *_findings(workload, decision, side, pinned, policy)),
        patched=patched,
        ops=ops,
        proof=pinned.proof,
        pin=pinned,
    )


def _has_no_pods(workload: Workload) -> bool:
    """Tell it of a custom resource without a template: a Rollout may name a Deployment instead."""
    value: Any = workload.object
    for step in workload.kind.template:
        if not isinstance(value, dict) or step not in value:
            return workload.kind not in BUILTIN
        value = value[step]
    return False


def unreadable(ref: ObjectRef, error: ShapeError) -> Finding:
    """Return the finding for a shape Kubernetes would not decode; `error.path` is from the root."""
    return Finding(
        rule="HG100",
        level=Level.ERROR,
        message=f"{dotted(error.path)} {error.message}",
        fix="write it as the Kubernetes API has it (kubectl explain tells)",
        object=ref,
        location=Location(pointer=pointer(error.path)),
    )


def _beyond(workload: Workload, why: str) -> Finding:
    return _finding(
        workload,
        BEYOND,
        Level.ERROR,
        f"cannot be judged: {why}",
        fix="make it smaller, or let a rule or its label say any",
    )


def _bound_to(workload: Workload) -> str:
    """Return the node that a template names, of which the scheduler is then not asked.

    But the kubelet refuses a pod whose required node affinity its node does not meet
    (pkg/kubelet/lifecycle/predicate.go), and its owner makes a new one, for ever. A DaemonSet's
    controller looks at both before it makes a pod.
    """
    node = workload.pod_spec.get("nodeName")
    if workload.kind.kind == "DaemonSet" or not isinstance(node, str):
        return ""
    return node


def _bound(workload: Workload, decision: Decision, side: Side, node: str) -> Finding:
    wanted = _NODES[side]
    return Finding(
        rule=BOUND,
        level=Level.WARNING,
        message=f"bound to node {node} by name: nothing keeps it on {wanted} ({decision.why})",
        fix=f"take nodeName out, so that the scheduler finds one of the {wanted}",
        object=workload.ref,
        location=Location(pointer=pointer((*workload.kind.pod_spec, "nodeName"))),
    )


def _as_it_is(workload: Workload, decision: Decision, findings: tuple[Finding, ...]) -> Verdict:
    return Verdict(workload=workload, decision=decision, findings=findings, patched=workload.object)


def _pin(workload: Workload, decision: Decision, side: Side, policy: Policy) -> Pin:
    if decision.enforcement is Enforcement.PREFERRED:
        return pin.prefer(workload.pod_spec, side, policy.cloud_nodes, weight=decision.weight)
    return pin.pin_to(workload.pod_spec, side, policy.cloud_nodes)


def _with_spec(workload: Workload, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the object with another pod spec, sharing everything beside the path to it."""
    steps = workload.kind.pod_spec
    copy = dict(workload.object)
    target = copy
    for step in steps[:-1]:
        target[step] = dict(target[step])
        target = target[step]
    target[steps[-1]] = spec
    return copy


def _findings(
    workload: Workload, decision: Decision, side: Side, pinned: Pin, policy: Policy
) -> tuple[Finding, ...]:
    """Judge the object as it is written."""
    if pinned.outcome is Outcome.NONE:
        reason = pinned.proof.witness(side).reason
        return (_finding(workload, "HG104", Level.WARNING, f"matches no node: {reason}"),)
    if pinned.outcome is Outcome.CONTRADICTION:
        return (_contradiction(workload, decision, side, pinned.proof),)
    if decision.enforcement is Enforcement.PREFERRED:
        if pinned.proof.sides is Sides.BOTH:
            said = f"{decision.why} only prefers {_NODES[side]}: nothing keeps it there"
            return (_finding(workload, "HG105", Level.NOTE, said),)
        return _preferred_elsewhere(workload, decision, side, pinned.proof)
    if pinned.outcome is Outcome.UNCHANGED:
        return ()
    return (
        _wrong_side(workload, decision, side, pinned.proof, policy),
        *(_dead_term(workload, side, term, policy) for term in pinned.dead_terms),
    )


def _wrong_side(
    workload: Workload, decision: Decision, side: Side, proven: Proof, policy: Policy
) -> Finding:
    witness = proven.witness(side.other)
    path: tuple[str | int, ...] = () if witness.term is None else (*TERMS, witness.term)
    return Finding(
        rule=_WRONG_SIDE[side],
        level=Level.ERROR,
        message=f"can land on {_NODES[side.other]}: {witness.reason} ({decision.why})",
        fix=f"add to each term: {policy.cloud_nodes.text[side]}",
        object=workload.ref,
        location=Location(pointer=pointer((*workload.kind.pod_spec, *path))),
    )


def _contradiction(workload: Workload, decision: Decision, side: Side, proven: Proof) -> Finding:
    by_guess = decision.source is Source.CATALOGUE
    said = proven.witness(side).expression or proven.witness(side).reason
    return _finding(
        workload,
        "HG103",
        Level.WARNING if by_guess else Level.ERROR,
        f"contradiction: {decision.why} wants {_NODES[side]}, {said} excludes them",
        fix="change one of the two",
    )


def _preferred_elsewhere(
    workload: Workload, decision: Decision, side: Side, proven: Proof
) -> tuple[Finding, ...]:
    if proven.sides.value == side.value:
        return ()
    said = proven.witness(side).expression or proven.witness(side).reason
    message = f"{decision.why} prefers {_NODES[side]}, {said} excludes them"
    return (_finding(workload, "HG105", Level.NOTE, message),)


def _dead_term(workload: Workload, side: Side, term: int, policy: Policy) -> Finding:
    """Tell of a term that can match nothing once the requirement is in it."""
    return Finding(
        rule="HG103",
        level=Level.WARNING,
        message=f"nodeSelectorTerms[{term}] wants {_NODES[side.other]} and will match no node",
        fix=f"remove the term: it contradicts {policy.cloud_nodes.text[side]}",
        object=workload.ref,
        location=Location(pointer=pointer((*workload.kind.pod_spec, *TERMS, term))),
    )


def _finding(
    workload: Workload, rule: str, level: Level, message: str, *, fix: str | None = None
) -> Finding:
    return Finding(
        rule=rule,
        level=level,
        message=message,
        fix=fix,
        object=workload.ref,
        location=Location(pointer=pointer(workload.kind.pod_spec)),
    )
