"""Which writes are judged at all, and which are injected into: the table of kinds and operations.

Why: a ReplicaSet that differs from its Deployment's template is never found again by it; a Job that
has started and a Pod's affinity are immutable; a mirror pod never reads what the API server stores;
a denied finalizer update would hang a deletion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webhook import owners, workloads
from webhook.admission import jobs, skim
from webhook.admission.review import Operation, Request
from webhook.owners import Pair
from webhook.placement import selector
from webhook.policy.model import Policy
from webhook.workloads import ShapeError, Workload, mapping_of

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

# Kinds whose controller's template is judged in their place. A Job is judged beside its CronJob.
_STANDS_BACK = frozenset({"ReplicaSet", "ReplicationController", "Pod"})


def read(obj: dict[str, Any], request: Request, policy: Policy) -> Workload | None:
    """Read a workload under the name its request gives it; None for other kinds.

    Raises ShapeError for what Kubernetes would not decode.
    """
    if request.beyond is not None:
        # Of a cut object what stands behind the cut may be missing, its kind too.
        obj = {**obj, "apiVersion": request.ref.api_version, "kind": request.kind}
    found = workloads.read(obj, policy.kinds, ref=request.ref)
    if found is None or request.beyond is None:
        return found
    return _beyond(request.beyond, found)


def _beyond(bound: str, workload: Workload) -> Workload:
    """Return a workload with the bound it is beyond, where that hides what is asked of it.

    A seal of what holds the template stands for it, so that an unchanged one is known.
    """
    seal = skim.seal_on(workload.object, workload.kind.template)
    if seal is not None or not workload.pod_spec:
        return replace(workload, template=seal or {}, beyond=bound)
    owners_given = _mapping(workload.object, ("metadata",)).get("ownerReferences")
    hidden = skim.is_sealed([workload.template, owners_given])
    return replace(workload, beyond=bound) if hidden else workload


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


def is_judged(request: Request, workload: Workload, policy: Policy) -> bool:
    """Tell whether a write of a workload is one that policy has a say in."""
    metadata = _mapping(workload.object, ("metadata",))
    kind = workload.kind.kind
    if request.sub_resource or metadata.get("deletionTimestamp") is not None:
        return False
    if (workload.ref.namespace, workload.ref.name) in OWN_OBJECTS:
        return False
    if kind in _STANDS_BACK and _stands_back(request, workload, policy):
        return False
    if kind != "Pod":
        return True
    bound = is_bound(metadata, workload.pod_spec) or has_its_node(workload.pod_spec)
    return request.operation is Operation.CREATE and not bound


def _stands_back(request: Request, workload: Workload, policy: Policy) -> bool:
    """Tell whether an object's controller made it, whose own template was judged.

    Anybody may write a reference. One to a built-in kind counts where a built-in controller writes;
    the accounts of others have no names that are known. A Pod of an unknown controller is left to
    that one.
    """
    owner = owners.controller_of(workload.object.get("metadata"))
    if owner is None:
        return False
    pair = owners.pair(workload.kind, owner, policy.kinds)
    if pair is None:
        return workload.kind.kind == "Pod"
    return pair is Pair.FOREIGN or by_system_controller(request)


def may_inject(request: Request, workload: Workload, policy: Policy) -> bool:
    """Tell whether a judged write is one that may be patched at all.

    A Deployment finds its ReplicaSet by the template, and makes another, without end, for each that
    it no longer finds. Nobody can tell here whether a reference is true, so an UPDATE is patched
    only where neither the stored object nor the new one names a controller.
    """
    kind, old = workload.kind.kind, request.old_object
    if request.operation is not Operation.UPDATE:
        return kind not in _STANDS_BACK or not _is_a_strangers(workload, policy)
    if kind == "Job":
        if old is None or not jobs.may_change(old):
            return False
        return _mapping(old, workload.kind.template) != workload.template
    if kind in _STANDS_BACK:
        return old is not None and not any(map(_names_a_controller, (old, workload.object)))
    return True


def _names_a_controller(obj: dict[str, Any]) -> bool:
    return owners.controller_of(obj.get("metadata")) is not None


def _is_a_strangers(workload: Workload, policy: Policy) -> bool:
    """Tell whether an object names a controller that nobody knows to make such."""
    owner = owners.controller_of(workload.object.get("metadata"))
    return owner is not None and owners.pair(workload.kind, owner, policy.kinds) is None


def why_untouched(workload: Workload, policy: Policy) -> str | None:
    """Say why admission leaves an object as it is, whatever policy asks of it; None where not."""
    metadata, kind = mapping_of(workload.object.get("metadata")), workload.kind
    if metadata.get("deletionTimestamp") is not None:
        return "it is being deleted"
    if (workload.ref.namespace, workload.ref.name) in OWN_OBJECTS:
        return "it is hybrid-guard's own"
    owner = owners.controller_of(metadata)
    if owner and owners.pair(kind, owner, policy.kinds):
        return f"{owner} made it: admission judges that one's template"
    if owner and kind.kind in _STANDS_BACK:
        return f"{owner} made it, a controller that is not known here: nothing is added"
    if kind.kind == "Pod" and is_bound(metadata, workload.pod_spec):
        return "it has its node already"
    if kind.kind == "Pod" and has_its_node(workload.pod_spec):
        return "its matchFields name its node, as only a controller writes them"
    return None


def by_system_controller(request: Request) -> bool:
    """Tell whether a built-in controller writes."""
    return request.username in SYSTEM_CONTROLLERS


def is_bound(metadata: dict[str, Any], pod_spec: Any) -> bool:
    """Tell whether a Pod has its node already, or mirrors one that a kubelet runs by itself."""
    annotations = metadata.get("annotations")
    mirrors = isinstance(annotations, dict) and MIRROR_ANNOTATION in annotations
    return mirrors or (isinstance(pod_spec, dict) and bool(pod_spec.get("nodeName")))


def has_its_node(pod_spec: dict[str, Any]) -> bool:
    """Tell whether a Pod's terms name a node: the DaemonSet controller writes such."""
    terms = selector.raw_terms(pod_spec)
    return any(mapping_of(term).get("matchFields") for term in terms)
