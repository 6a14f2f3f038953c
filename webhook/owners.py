"""Owners: the pairs of kinds in which controllers make objects, one list for hooks and audits.

A reference to an owner is a claim that whoever may write the object makes. It counts only in a pair
that some controller really makes; whether the owner is there, and selects the object, a cluster
tells (`refuted`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.findings import ObjectRef
from webhook.workloads import BUILTIN, RETIRED, WorkloadKind, mapping_of, mappings

KRUISE = "apps.kruise.io"


class Pair(enum.Enum):
    """Whose controller makes such objects: Kubernetes' own, or one that is installed beside it."""

    BUILTIN = enum.auto()
    FOREIGN = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controller that an object's metadata names; of its apiVersion, `group` counts alone."""

    group: str
    kind: str
    name: str
    uid: str

    def __str__(self) -> str:
        """Return kind and name, as kubectl writes them."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """An object that names an owner which did not make it, and why that is known."""

    ref: ObjectRef
    owner: Owner
    why: str


# Kinds by group and name. Sources: k8s.io/kubernetes pkg/controller (deployment, cronjob,
# replicaset, replication, daemon, statefulset, job); the controllers of Argo Rollouts, OpenShift
# and OpenKruise.
_Kind = tuple[str, str]
_REPLICA_SET, _REPLICATION_CONTROLLER = ("apps", "ReplicaSet"), ("", "ReplicationController")
_JOB, _POD = ("batch", "Job"), ("", "Pod")
_BUILTIN: dict[_Kind, frozenset[_Kind]] = {
    _REPLICA_SET: frozenset({("apps", "Deployment")}),
    _JOB: frozenset({("batch", "CronJob")}),
    _POD: frozenset(
        {
            _REPLICA_SET, _REPLICATION_CONTROLLER, _JOB,
            ("apps", "DaemonSet"), ("apps", "StatefulSet"),
        }
    ),
}  # fmt: skip
_OF_TEMPLATES = frozenset({_REPLICA_SET, _POD, _JOB})


def _foreign(group: str, kind: str, resource: str, *versions: str) -> WorkloadKind:
    template = ("spec", "template")
    return WorkloadKind(
        group=group, versions=versions, resource=resource, kind=kind, template=template
    )


FOREIGN: dict[_Kind, tuple[WorkloadKind, ...]] = {
    _REPLICA_SET: (_foreign("argoproj.io", "Rollout", "rollouts", "v1alpha1"),),
    _REPLICATION_CONTROLLER: (
        _foreign("apps.openshift.io", "DeploymentConfig", "deploymentconfigs", "v1"),
    ),
    _POD: (
        _foreign(KRUISE, "CloneSet", "clonesets", "v1beta1", "v1alpha1"),
        _foreign(KRUISE, "DaemonSet", "daemonsets", "v1beta1", "v1alpha1"),
        _foreign(KRUISE, "StatefulSet", "statefulsets", "v1beta1", "v1alpha1"),
        _foreign(KRUISE, "BroadcastJob", "broadcastjobs", "v1beta1", "v1alpha1"),
    ),
}
"""The controllers that are known though no policy names them, by what they make."""

MADE = frozenset(kind for _, kind in _BUILTIN | FOREIGN)
"""Kinds of which a controller makes the most."""


def controller_of(metadata: Any) -> Owner | None:
    """Return the controller that made an object, as its metadata says; None where it says none.

    Several controllers, or a list that Kubernetes would not decode, say nothing.
    """
    references = mapping_of(metadata).get("ownerReferences")
    if not isinstance(references, list) or not all(isinstance(one, dict) for one in references):
        return None
    controllers = [one for one in references if one.get("controller") is True]
    if len(controllers) != 1:
        return None
    said = [controllers[0].get(key) for key in ("apiVersion", "kind", "name")]
    if not all(isinstance(word, str) and word for word in said):
        return None
    api_version, kind, name = map(str, said)
    group = api_version.rpartition("/")[0]
    if kind in RETIRED.get(api_version, {}):
        group = "apps" if group == "extensions" else group
    return Owner(group=group, kind=kind, name=name, uid=str(controllers[0].get("uid") or ""))


def pair(child: WorkloadKind, owner: Owner, kinds: Iterable[WorkloadKind]) -> Pair | None:
    """Tell who makes objects of a kind for such an owner; None where no controller is known to.

    `kinds` are the policy's, with those of its `templates`.
    """
    made, by = (child.group, child.kind), (owner.group, owner.kind)
    if by in _BUILTIN.get(made, ()):
        return Pair.BUILTIN
    known = [*FOREIGN.get(made, ())]
    if made in _OF_TEMPLATES:
        known += [kind for kind in kinds if kind not in BUILTIN]
    return Pair.FOREIGN if by in {(kind.group, kind.kind) for kind in known} else None


def is_made(metadata: Any, child: WorkloadKind, kinds: Iterable[WorkloadKind]) -> bool:
    """Tell whether a controller made an object, as it says: the owner's own template tells all."""
    owner = controller_of(metadata)
    return owner is not None and pair(child, owner, kinds) is not None


def disowned(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object without its controller; the other owners stay."""
    metadata = obj["metadata"]
    others = [one for one in metadata["ownerReferences"] if one.get("controller") is not True]
    return {**obj, "metadata": {**metadata, "ownerReferences": others}}


def essence(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return as much of an object as `refuted` looks at."""
    return {
        "metadata": {"uid": mapping_of(obj.get("metadata")).get("uid")},
        "spec": {"selector": mapping_of(obj.get("spec")).get("selector")},
    }


def refuted(owner: Owner, found: Mapping[str, Any] | None, labels: Any) -> str | None:
    """Say why an owner did not make an object with these labels; None where it may have.

    `found` is what stands at the owner's kind, namespace and name, None where nothing does. Whose
    selector is missing (CronJob) is known by its uid alone.
    """
    if found is None:
        return "is not there"
    if mapping_of(found.get("metadata")).get("uid") != owner.uid:
        return "has another uid"
    selector = mapping_of(found.get("spec")).get("selector")
    if selector is not None and not selects(mapping_of(selector), mapping_of(labels)):
        return "does not select its labels"
    return None


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Tell whether a label selector, or a ReplicationController's plain map, fits labels."""
    if all(isinstance(value, str) for value in selector.values()):
        return selector.items() <= labels.items()
    exact = mapping_of(selector.get("matchLabels"))
    return exact.items() <= labels.items() and all(
        _holds(expression, labels) for expression in mappings(selector.get("matchExpressions"))
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Tell what apimachinery's labels.Requirement tells: NotIn fits where the key is absent."""
    value, values = labels.get(str(expression.get("key"))), expression.get("values")
    values = values if isinstance(values, list) else []
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
