"""What an UPDATE changes: the template, the placement label, node terms that go.

The ratchet stands here: what was wrong before must not block an unrelated write.
"""

from __future__ import annotations

from typing import Any

from webhook.admission import scope
from webhook.admission.review import Operation, Request
from webhook.findings import Finding, Level, Location
from webhook.patch import pointer
from webhook.placement import drops
from webhook.placement.selector import TERMS
from webhook.policy.evaluate import BEYOND, evaluate
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.workloads import ShapeError, Workload, mapping_at


def stored(request: Request, policy: Policy) -> Workload | None:
    """Return the object an UPDATE replaces; None for other writes, or where it cannot be read."""
    if request.operation is not Operation.UPDATE or request.old_object is None:
        return None
    try:
        return scope.read(request.old_object, request, policy)
    except ShapeError:
        return None


def is_relevant(old: Workload, new: Workload, policy: Policy) -> bool:
    """Tell whether an UPDATE changes the pod template or the placement label.

    Of a Job, the template alone: no label that it gets later makes its pods land elsewhere.
    """
    label = policy.overrides.label
    if new.kind.kind == "Job":
        return old.template != new.template
    return old.template != new.template or old.labels.get(label) != new.labels.get(label)


def may_deny(
    finding: Finding,
    old: Workload | None,
    new: Workload,
    policy: Policy,
    *,
    namespace_placement: Placement | None,
) -> bool:
    """Tell whether a finding may deny a write: not if it was there before, or nothing changed."""
    if old is None:
        return True
    if not is_relevant(old, new, policy):
        return False
    if finding.rule == BEYOND:
        return True  # that it could not be judged before says nothing of what it asks for now
    before = evaluate(old, policy, namespace_placement=namespace_placement)
    return finding.rule not in {known.rule for known in before.findings}


def dropped_terms(old: Workload, new: Workload, final: dict[str, Any]) -> list[Finding]:
    """Return HG107 for each node term or expression that `final`, as it will be stored, lacks."""
    if old.beyond or new.beyond:
        return []
    path = new.kind.pod_spec
    spec = mapping_at(final, path)
    if old.pod_spec.get("affinity") == spec.get("affinity"):
        return []
    try:
        lost = drops.dropped(old.pod_spec, spec, sent=new.pod_spec)
    except ShapeError:
        return []
    return [
        Finding(
            rule="HG107",
            level=Level.WARNING,
            message=f"this update drops node terms: {', '.join(drop.expressions)}",
            fix="put them back: lists of terms are replaced as a whole",
            object=new.ref,
            location=Location(pointer=pointer((*path, *TERMS, drop.term))),
        )
        for drop in lost
    ]
