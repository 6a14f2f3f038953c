"""One workload as `explain` tells it: what an audit says of it, and what there is beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webhook.admission import scope
from webhook.audit.inspect import is_passed_over, judged, row_of
from webhook.audit.origin import Origin
from webhook.audit.report import Report, Row
from webhook.explain.explanation import explain
from webhook.policy.model import Policy
from webhook.policy.words import OnUpdate, Placement
from webhook.workloads import Workload, mapping_of

_IMMUTABLE = frozenset({"Job", "Pod"})
_NEXT = {
    OnUpdate.ALWAYS: "admission adds this at the next write by anybody but Kubernetes' controllers",
    OnUpdate.TEMPLATE_CHANGED: "admission adds this when the pod template changes next "
    "(onUpdate: template-changed)",
}


def explained(
    obj: dict[str, Any],
    policy: Policy,
    report: Report,
    *,
    source: Origin,
    namespace_placements: Mapping[str, Placement],
    live: bool,
) -> Row | None:
    """Add what an object tells to a report; return the row of one that has a pod template."""
    own = Report() if is_passed_over(obj, policy) else report
    verdict = judged(obj, policy, own, source=source, namespace_placements=namespace_placements)
    if verdict is None:
        return None
    if own is not report:
        report.workloads += 1
    row = row_of(verdict, policy, source)
    untouched = _untouched(verdict.workload, live=live)
    if untouched:
        verdict = replace(verdict, ops=(), patched=verdict.workload.object)
        row = replace(row, ops=(), quiet=untouched)
    elif live and row.ops:
        row = replace(row, notes=(*row.notes, _NEXT[policy.on_update]))
    return replace(row, more=explain(verdict))


def _untouched(workload: Workload, *, live: bool) -> str | None:
    """Say why admission has no say in an object, whatever policy asks of it."""
    metadata, kind = mapping_of(workload.object.get("metadata")), workload.kind.kind
    if metadata.get("deletionTimestamp") is not None:
        return "it is being deleted"
    if (workload.ref.namespace, workload.ref.name) in scope.OWN_OBJECTS:
        return "it is hybrid-guard's own"
    maker = scope.controller_of(metadata)
    if maker and kind in scope.NEEDS_NO_OWNER:
        return f"{maker} made it: admission judges that one's template"
    if kind == "Pod" and scope.is_bound(metadata, workload.pod_spec):
        return "it has its node already"
    if live and kind in _IMMUTABLE:
        return f"a {kind}'s template does not change any more: admission judges the next one"
    return None
