"""Which writes are judged at all: the table of kinds and operations, and who is never touched.

Why: a ReplicaSet that differs from its Deployment's template is never found again by it; a Job's
template and a Pod's affinity are immutable; a mirror pod never reads what the API server stores;
a denied finalizer update would hang a deletion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webhook import workloads
from webhook.admission import skim
from webhook.admission.review import Operation, Request
from webhook.policy.model import Policy
from webhook.workloads import ShapeError, Workload

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"

OWN_OBJECTS = frozenset(
    ("kube-system", name) for name in ("hybrid-guard", "hybrid-guard-certs", "hybrid-guard-test")
)

# Who writes on behalf of an owner that was judged already: kube-controller-manager and the
# accounts its controllers use (v1.37.2, rbac/bootstrappolicy/controller_policy.go).
SYSTEM_CONTROLLERS = frozenset(
    {"system:kube-controller-manager"}
    | {
        f"system:serviceaccount:kube-system:{name}"
        for name in (
            "attachdetach-controller", "certificate-controller",
            "clusterrole-aggregation-controller", "cronjob-controller", "daemon-set-controller",
            "deployment-controller", "device-taint-eviction-controller", "disruption-controller",
            "endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller",
            "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector",
            "horizontal-pod-autoscaler", "job-controller",
            "kube-apiserver-serving-clustertrustbundle-publisher",
            "legacy-service-account-token-cleaner", "namespace-controller", "node-controller",
            "persistent-volume-binder", "pod-garbage-collector", "podcertificaterequestcleaner",
            "podgroup-protection-controller", "pv-protection-controller",
            "pvc-protection-controller", "replicaset-controller", "replication-controller",
            "resource-claim-controller", "resourcepoolstatusrequest-controller",
            "resourcequota-controller", "root-ca-cert-publisher", "route-controller",
            "selinux-warning-controller", "service-account-controller", "service-cidrs-controller",
            "service-controller", "statefulset-controller", "storage-version-garbage-collector",
            "storage-version-migrator-controller", "ttl-after-finished-controller",
            "ttl-controller", "validatingadmissionpolicy-status-controller",
            "volumeattributesclass-protection-controller",
        )
    }
)  # fmt: skip

NEEDS_NO_OWNER = frozenset({"ReplicaSet", "ReplicationController", "Pod"})
_CREATE_ONLY = frozenset({"Job", "Pod"})


def read(obj: dict[str, Any], request: Request, policy: Policy) -> Workload | None:
    """Read a workload under the name its request gives it; None for other kinds.

    Raises ShapeError for what Kubernetes would not decode.
    """
    found = workloads.read(obj, policy.kinds, namespace=request.namespace)
    if found is None:
        return None
    parts = (found.template, workloads.mapping_at(obj, ("metadata",)).get("ownerReferences"))
    is_beyond = request.beyond is not None and any(map(skim.is_sealed, parts))
    return replace(found, ref=request.ref, beyond=request.beyond if is_beyond else None)


def sketch(obj: dict[str, Any], request: Request, policy: Policy) -> Workload | None:
    """Return as much of a workload as can be read, to ask policy about one that cannot."""
    kind = workloads.find_kind(str(obj.get("apiVersion")), str(obj.get("kind")), policy.kinds)
    if kind is None:
        return None
    return Workload(
        kind=kind,
        ref=request.ref,
        labels={
            key: value
            for key, value in _mapping(obj, ("metadata", "labels")).items()
            if isinstance(value, str)
        },
        object=obj,
        template=_mapping(obj, kind.template),
        pod_spec=_mapping(obj, kind.pod_spec),
    )


def _mapping(obj: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    try:
        return workloads.mapping_at(obj, path)
    except ShapeError:
        return {}


def is_judged(request: Request, workload: Workload) -> bool:
    """Tell whether a write of a workload is one that policy has a say in."""
    metadata = _mapping(workload.object, ("metadata",))
    kind = workload.kind.kind
    if request.sub_resource or metadata.get("deletionTimestamp") is not None:
        return False
    if (workload.ref.namespace, workload.ref.name) in OWN_OBJECTS:
        return False
    if kind in _CREATE_ONLY and request.operation is not Operation.CREATE:
        return False
    if kind in NEEDS_NO_OWNER and controller_of(metadata):
        return False
    return kind != "Pod" or not is_bound(metadata, workload.pod_spec)


def by_system_controller(request: Request) -> bool:
    """Tell whether a built-in controller writes."""
    return request.username in SYSTEM_CONTROLLERS


def controller_of(metadata: dict[str, Any]) -> str | None:
    """Return kind and name of the controller that made an object, or None."""
    owners = metadata.get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, dict) and owner.get("controller") is True:
            return f"{owner.get('kind')}/{owner.get('name')}"
    return None


def is_bound(metadata: dict[str, Any], pod_spec: Any) -> bool:
    """Tell whether a Pod has its node already, or mirrors one that a kubelet runs by itself."""
    annotations = metadata.get("annotations")
    mirrors = isinstance(annotations, dict) and MIRROR_ANNOTATION in annotations
    return mirrors or (isinstance(pod_spec, dict) and bool(pod_spec.get("nodeName")))
