"""What an UPDATE changes: the template, the placement label, node terms that go, a rollout.

The ratchet stands here: what was wrong before must not block an unrelated write.
"""

from __future__ import annotations

from typing import Any

from webhook.findings import Finding, Level, Location
from webhook.patch import pointer
from webhook.placement import drops
from webhook.placement.selector import TERMS
from webhook.policy.evaluate import evaluate
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.workloads import ShapeError, Workload, WorkloadKind, mapping_at, read


def read_old(old: dict[str, Any] | None, new: Workload, policy: Policy) -> Workload | None:
    """Return the stored object, or None for a CREATE or one that cannot be read."""
    if old is None:
        return None
    try:
        return read(old, policy.kinds, namespace=new.ref.namespace)
    except ShapeError:
        return None


def is_relevant(old: Workload, new: Workload, policy: Policy) -> bool:
    """Tell whether an UPDATE changes the pod template or the placement label."""
    label = policy.overrides.label
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
    before = evaluate(old, policy, namespace_placement=namespace_placement)
    return finding.rule not in {known.rule for known in before.findings}


def dropped_terms(old: Workload, new: Workload, final: dict[str, Any]) -> list[Finding]:
    """Return HG107 for each node term or expression that `final`, as it will be stored, lacks."""
    path = new.kind.pod_spec
    try:
        lost = drops.dropped(old.pod_spec, mapping_at(final, path))
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


def rollout(workload: Workload) -> str:
    """Say what a change of the live template does: how many pods, by which strategy."""
    spec = mapping_at(workload.object, ("spec",))
    pods = _pods(workload.kind, workload.object, spec)
    count = "its pods" if pods is None else f"{pods} pod{'' if pods == 1 else 's'}"
    return f"changes the pod template: restarts {count} of {workload.ref.name}{_strategy(spec)}"


def _pods(kind: WorkloadKind, obj: dict[str, Any], spec: dict[str, Any]) -> int | None:
    if kind.kind == "DaemonSet":
        status = obj.get("status")
        count = status.get("currentNumberScheduled") if isinstance(status, dict) else None
    else:
        count = spec.get("replicas")
    return count if isinstance(count, int) else None


def _strategy(spec: dict[str, Any]) -> str:
    strategy = spec.get("updateStrategy") or spec.get("strategy")
    if not isinstance(strategy, dict) or not isinstance(strategy.get("type"), str):
        return ""
    text = f", {strategy['type']}"
    rolling = strategy.get("rollingUpdate")
    if isinstance(rolling, dict) and rolling.get("maxUnavailable") is not None:
        text += f", maxUnavailable {rolling['maxUnavailable']}"
    return text
