"""One workload as `explain` tells it: what an audit says of it, and what there is beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webhook.admission import jobs, scope
from webhook.audit.inspect import is_passed_over, judged, row_of
from webhook.audit.origin import Origin
from webhook.audit.report import Report, Row
from webhook.explain.explanation import explain
from webhook.policy.model import Policy
from webhook.policy.words import OnUpdate, Placement
from webhook.workloads import Workload

_IMMUTABLE = frozenset({"Job", "Pod"})
_NEXT = {
    OnUpdate.ALWAYS: "admission adds this at the next write by anybody but Kubernetes' controllers",
    OnUpdate.TEMPLATE_CHANGED: "admission adds this when the pod template changes next",
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
    untouched = _untouched(verdict.workload, policy, live=live)
    if untouched:
        verdict = replace(verdict, ops=(), patched=verdict.workload.object)
        row = replace(row, ops=(), quiet=untouched)
    elif live and row.ops:
        asks = OnUpdate.TEMPLATE_CHANGED if row.ref.kind == "Job" else policy.on_update
        row = replace(row, notes=(*row.notes, _NEXT[asks]))
    return replace(row, more=explain(verdict))


def _untouched(workload: Workload, policy: Policy, *, live: bool) -> str | None:
    """Say why admission has no say in an object, whatever policy asks of it."""
    why, kind = scope.why_untouched(workload, policy), workload.kind.kind
    if why or not live or kind not in _IMMUTABLE or jobs.may_change(workload.object):
        return why
    return f"a {kind}'s template does not change any more: admission judges the next one"
