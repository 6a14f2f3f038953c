"""What an UPDATE changes: the template, the placement label, node terms that go, a rollout.

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
from webhook.policy.evaluate import evaluate
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.workloads import ShapeError, Workload, mapping_at

_RUNS_LATER = {
    "CronJob": "jobs of {name} have it from the next run on",
    "ReplicaSet": "only new pods of {name} have it",
    "ReplicationController": "only new pods of {name} have it",
}
_DEFAULTED = frozenset({"Deployment", "StatefulSet"})


def stored(request: Request, policy: Policy) -> Workload | None:
    """Return the object an UPDATE replaces; None for other writes, or where it cannot be read."""
    if request.operation is not Operation.UPDATE or request.old_object is None:
        return None
    try:
        return scope.read(request.old_object, request, policy)
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
    spec = mapping_at(final, path)
    if old.pod_spec.get("affinity") == spec.get("affinity"):
        return []
    try:
        lost = drops.dropped(old.pod_spec, spec)
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


def rollout(old: Workload, new: Workload) -> str:
    """Say what a change of the live template does: how many pods, by which strategy."""
    kind, name = new.kind.kind, new.ref.name
    if kind in _RUNS_LATER:
        return f"changes the pod template: {_RUNS_LATER[kind].format(name=name)}"
    spec = _mapping(new.object, "spec")
    count = _pods(old, spec)
    pods = "the pods" if count is None else f"{count} pod{'' if count == 1 else 's'}"
    strategy = spec.get("updateStrategy" if kind != "Deployment" else "strategy")
    if not isinstance(strategy, dict) or not isinstance(strategy.get("type"), str):
        return f"changes the pod template: restarts {pods} of {name}"
    if strategy["type"] == "OnDelete":
        # The DaemonSet controller takes pods off nodes that do not match before it asks for the
        # strategy (daemon_controller.go, manage).
        gone = "; those on the wrong side go now" if kind == "DaemonSet" else ""
        return f"changes the pod template: OnDelete, {pods} of {name} restart when deleted{gone}"
    unavailable = _mapping(strategy, "rollingUpdate").get("maxUnavailable")
    pace = "" if unavailable is None else f", maxUnavailable {unavailable}"
    return f"changes the pod template: restarts {pods} of {name}, {strategy['type']}{pace}"


def _pods(old: Workload, spec: dict[str, Any]) -> int | None:
    """Return how many pods run: a DaemonSet's status counts them, a PUT may come without it."""
    if old.kind.kind == "DaemonSet":
        status = _mapping(old.object, "status")
        count = status.get("desiredNumberScheduled", status.get("currentNumberScheduled"))
    else:
        count = spec.get("replicas", 1 if old.kind.kind in _DEFAULTED else None)
    return count if type(count) is int else None


def _mapping(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}
