"""AdmissionReviews as the API server sends them: one canonical request, edited by keyword."""

from __future__ import annotations

import base64
import json
from typing import Any

_RESOURCES = {
    "DaemonSet": "daemonsets", "Deployment": "deployments", "StatefulSet": "statefulsets",
    "ReplicaSet": "replicasets", "ReplicationController": "replicationcontrollers",
    "CronJob": "cronjobs", "Job": "jobs", "Pod": "pods", "ConfigMap": "configmaps",
}  # fmt: skip


def review(
    obj: dict[str, Any] | None,
    operation: str = "CREATE",
    old: dict[str, Any] | None = None,
    *,
    user: str = "kubernetes-admin",
    **request: Any,
) -> dict[str, Any]:
    """Return an AdmissionReview of an object; keywords replace parts of the request."""
    subject = obj or old or {}
    group, _, version = subject["apiVersion"].rpartition("/")
    kind = subject["kind"]
    metadata = subject["metadata"]
    resource = _RESOURCES.get(kind, kind.lower() + "s")
    names = {"group": group, "version": version}
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {**names, "kind": kind},
            "resource": {**names, "resource": resource},
            "requestKind": {**names, "kind": kind},
            "requestResource": {**names, "resource": resource},
            "name": metadata.get("name", ""),
            "namespace": metadata.get("namespace", "default"),
            "operation": operation,
            "userInfo": {"username": user, "groups": ["system:authenticated"]},
            "object": obj,
            "oldObject": old,
            "dryRun": False,
            "options": None,
            **request,
        },
    }


def patch_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of an answer's patch, [] without one."""
    response = answer["response"]
    if "patch" not in response:
        return []
    operations: list[dict[str, Any]] = json.loads(base64.b64decode(response["patch"]))
    return operations
