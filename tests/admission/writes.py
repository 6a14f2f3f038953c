"""Writes to judge: workloads of every kind, and what both hooks answer, checked by the oracle."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import yaml

from tests.admission import oracle
from tests.reviews import review
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.model import Policy
from webhook.policy.words import Placement

KEY = "alibabacloud.com/external"
PINNED = {"key": KEY, "operator": "NotIn", "values": ["true"]}
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
_API_VERSIONS = {
    "Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1", "ReplicationController": "v1",
    "ConfigMap": "v1", "CloneSet": "apps.kruise.io/v1alpha1",
}  # fmt: skip
_POLICY = """
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
templates:
- {apiGroup: apps.kruise.io, apiVersions: [v1alpha1], resource: clonesets, kind: CloneSet, path: /spec/template}
"""
HOME = "rules: [{name: home, match: {namespaces: [home]}, placement: on-prem}]\n"


def policy(text: str = HOME) -> Policy:
    """Return a policy for a bgp network with more keys."""
    return parse.parse(yaml.safe_load(_POLICY + text))


def workload(kind: str = "Deployment", namespace: str = "home", **pod_spec: Any) -> dict[str, Any]:
    """Return a workload named web; keywords go into its pod spec."""
    pod = {"containers": [{"name": "c", "image": "x"}], **pod_spec}
    spec: dict[str, Any] = pod if kind == "Pod" else {"template": {"spec": pod}}
    return {
        "apiVersion": _API_VERSIONS.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec,
    }


def required(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an affinity whose required terms hold these expressions."""
    wanted = {"nodeSelectorTerms": [{"matchExpressions": list(term)} for term in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": wanted}}


def changed(obj: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return a copy with parts of `metadata`, `spec` or `status` added."""
    copied = copy.deepcopy(obj)
    for name, part in parts.items():
        copied[name] = {**copied.get(name, {}), **part}
    return copied


def judge(
    hook: Hook,
    obj: dict[str, Any] | None,
    old: dict[str, Any] | None = None,
    *,
    by: Policy,
    operation: str | None = None,
    namespace_placement: Placement | None = None,
    **request: Any,
) -> dict[str, Any]:
    """Return the response to a CREATE, to an UPDATE where `old` is given, or to a DELETE."""
    usual = "CREATE" if old is None else "UPDATE" if obj is not None else "DELETE"
    sent = review(obj, operation or usual, old, **request)
    answer, record = exchange.answer(
        hook, orjson.dumps(sent), by, namespace_placement=namespace_placement
    )
    decoded = orjson.loads(answer)
    oracle.verify(decoded, sent["request"]["uid"], mutating=hook is Hook.MUTATE)
    response: dict[str, Any] = decoded["response"]
    assert response["allowed"] is (record.verdict.value != "denied")
    assert ("patch" in response) is (record.verdict.value == "injected")
    return {**response, "verdict": record.verdict.value, "rule": record.rule}
