"""Which writes are judged at all: the table of kinds and operations, and who is never touched.

Why: a ReplicaSet that differs from its Deployment's template is never found again by it; a Job's
template and a Pod's affinity are immutable; a mirror pod never reads what the API server stores;
a denied finalizer update would hang a deletion.
"""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Operation, Request
from webhook.workloads import Workload

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"

OWN_OBJECTS = frozenset(
    {("kube-system", "hybrid-guard"), ("kube-system", "hybrid-guard-certs")}
)  # fmt: skip

# Who writes on behalf of an owner that was judged already: kube-controller-manager and the
# accounts its controllers use (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
SYSTEM_CONTROLLERS = frozenset(
    {"system:kube-controller-manager"}
    | {
        f"system:serviceaccount:kube-system:{name}"
        for name in (
            "attachdetach-controller", "certificate-controller",
            "clusterrole-aggregation-controller",
            "cronjob-controller", "daemon-set-controller", "deployment-controller",
            "device-taint-eviction-controller", "disruption-controller", "endpoint-controller",
            "endpointslice-controller", "endpointslicemirroring-controller",
            "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector",
            "horizontal-pod-autoscaler", "job-controller", "legacy-service-account-token-cleaner",
            "namespace-controller", "node-controller", "persistent-volume-binder",
            "pod-garbage-collector", "pv-protection-controller", "pvc-protection-controller",
            "replicaset-controller", "replication-controller", "resource-claim-controller",
            "resourcequota-controller", "root-ca-cert-publisher", "route-controller",
            "selinux-warning-controller", "service-account-controller", "service-cidrs-controller",
            "service-controller", "statefulset-controller", "storageversionmigrator-controller",
            "ttl-after-finished-controller", "ttl-controller",
            "validatingadmissionpolicy-status-controller",
            "volumeattributesclass-protection-controller",
        )
    }
)  # fmt: skip

_NEEDS_NO_OWNER = frozenset({"ReplicaSet", "ReplicationController", "Pod"})
_CREATE_ONLY = frozenset({"Job", "Pod"})


def is_judged(request: Request, workload: Workload) -> bool:
    """Tell whether a write of a workload is one that policy has a say in."""
    metadata = workload.object.get("metadata") or {}
    kind = workload.kind.kind
    if request.sub_resource or metadata.get("deletionTimestamp") is not None:
        return False
    if (workload.ref.namespace, workload.ref.name) in OWN_OBJECTS:
        return False
    if kind in _CREATE_ONLY and request.operation is not Operation.CREATE:
        return False
    if kind in _NEEDS_NO_OWNER and _has_controller(metadata):
        return False
    return kind != "Pod" or not _is_bound(metadata, workload.pod_spec)


def by_system_controller(request: Request) -> bool:
    """Tell whether a built-in controller writes."""
    return request.username in SYSTEM_CONTROLLERS


def _has_controller(metadata: dict[str, Any]) -> bool:
    owners = metadata.get("ownerReferences")
    return isinstance(owners, list) and any(
        isinstance(owner, dict) and owner.get("controller") is True for owner in owners
    )


def _is_bound(metadata: dict[str, Any], pod_spec: dict[str, Any]) -> bool:
    """Tell whether a Pod has its node already, or mirrors one that a kubelet runs by itself."""
    annotations = metadata.get("annotations")
    mirrors = isinstance(annotations, dict) and MIRROR_ANNOTATION in annotations
    return mirrors or bool(pod_spec.get("nodeName"))
