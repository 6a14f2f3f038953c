"""Kinds that carry a pod template, and where in them it is: the only place that knows.

Nothing here judges; a shape Kubernetes would refuse raises `ShapeError` with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webhook.findings import ObjectRef


class ShapeError(ValueError):
    """A field has a type that Kubernetes would not decode.

    `path` holds the keys and indices from the root of the object, `message` what is wrong there.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(f"{dotted(path)} {message}")
        self.path = path
        self.message = message


class BoundError(ShapeError):
    """There is more at `path` than is judged; `message` says which bound, and quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKind:
    """One kind, its served versions, and the path from the object to its pod template."""

    group: str
    versions: tuple[str, ...]
    resource: str
    kind: str
    template: tuple[str, ...]

    @property
    def pod_spec(self) -> tuple[str, ...]:
        """The path from the object to the pod spec."""
        return (*self.template, "spec")


_TEMPLATE = ("spec", "template")

BUILTIN: tuple[WorkloadKind, ...] = tuple(
    WorkloadKind(group=group, versions=("v1",), resource=resource, kind=kind, template=template)
    for group, resource, kind, template in (
        ("apps", "daemonsets", "DaemonSet", _TEMPLATE),
        ("apps", "deployments", "Deployment", _TEMPLATE),
        ("apps", "statefulsets", "StatefulSet", _TEMPLATE),
        ("apps", "replicasets", "ReplicaSet", _TEMPLATE),
        ("", "replicationcontrollers", "ReplicationController", _TEMPLATE),
        ("batch", "cronjobs", "CronJob", ("spec", "jobTemplate", *_TEMPLATE)),
        ("batch", "jobs", "Job", _TEMPLATE),
        ("", "pods", "Pod", ()),
    )
)

# Versions that manifests still carry and no API server serves, with the release that dropped them
# (Kubernetes deprecated API migration guide).
RETIRED: dict[str, dict[str, str]] = {
    "extensions/v1beta1": {"DaemonSet": "1.16", "Deployment": "1.16", "ReplicaSet": "1.16"},
    "apps/v1beta1": {"Deployment": "1.16", "StatefulSet": "1.16"},
    "apps/v1beta2": {
        "DaemonSet": "1.16", "Deployment": "1.16", "ReplicaSet": "1.16", "StatefulSet": "1.16",
    },
    "batch/v1beta1": {"CronJob": "1.25"},
    "batch/v2alpha1": {"CronJob": "1.21"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An object with a pod template. `object` is the decoded JSON and is never changed in place.

    `beyond` names the bound that the template is beyond, where it was therefore not read.
    """

    kind: WorkloadKind
    ref: ObjectRef
    labels: Mapping[str, str]
    object: dict[str, Any]
    template: dict[str, Any]
    pod_spec: dict[str, Any]
    beyond: str | None = None


def find_kind(
    api_version: str, kind: str, kinds: tuple[WorkloadKind, ...] = BUILTIN
) -> WorkloadKind | None:
    """Return the workload kind of `apiVersion` and `kind`, retired versions included, else None."""
    group, _, version = api_version.rpartition("/")
    for known in kinds:
        if known.kind == kind and known.group == group and version in known.versions:
            return known
    if kind in RETIRED.get(api_version, {}):
        return next(known for known in BUILTIN if known.kind == kind)
    return None


def retired(ref: ObjectRef) -> str | None:
    """Say that no API server takes this API any more, and what to write; None if one does."""
    release = RETIRED.get(ref.api_version, {}).get(ref.kind)
    if release is None:
        return None
    now = "batch/v1" if ref.kind == "CronJob" else "apps/v1"
    return (
        f"{ref.api_version} {ref.kind} is gone since Kubernetes {release}: write {now}, "
        "which also needs spec.selector"
    )


def read(
    obj: dict[str, Any],
    kinds: tuple[WorkloadKind, ...] = BUILTIN,
    *,
    namespace: str | None = None,
    ref: ObjectRef | None = None,
) -> Workload | None:
    """Read a workload, or return None for any other kind.

    `namespace` fills in a missing one; `ref` is its name where that is known.

    Raises ShapeError where metadata or the pod template has a type Kubernetes would not decode.
    """
    api_version, kind_name = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind_name, str):
        return None
    kind = find_kind(api_version, kind_name, kinds)
    if kind is None:
        return None
    if ref is None:
        ref = ref_of(obj)
        ref = ref if ref.namespace else replace(ref, namespace=namespace)
    labels = mapping_at(obj, ("metadata", "labels"))
    for key, value in labels.items():
        if not isinstance(value, str):
            raise ShapeError(
                ("metadata", "labels", key), f"must be a string, found {type_name(value)}"
            )
    return Workload(
        kind=kind,
        ref=ref,
        labels=labels,
        object=obj,
        template=mapping_at(obj, kind.template),
        pod_spec=mapping_at(obj, kind.pod_spec),
    )


def ref_of(obj: dict[str, Any]) -> ObjectRef:
    """Return the name of any object, whatever shape its metadata has."""
    metadata = obj.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return ObjectRef(
        api_version=str(obj.get("apiVersion")),
        kind=str(obj.get("kind")),
        namespace=namespace if isinstance(namespace, str) else None,
        name=name_in(metadata),
    )


def name_in(metadata: Any) -> str:
    """Return the name that metadata gives; one that is still to be made ends in `*`.

    So it equals no object's name; `webhook.policy.names` tells what it can become.
    """
    given = metadata if isinstance(metadata, dict) else {}
    name, prefix = given.get("name"), given.get("generateName")
    if name and isinstance(name, str):
        return name
    return f"{prefix}*" if prefix and isinstance(prefix, str) else ""


def mapping_at(obj: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the object at `path`; a missing or null step counts as empty, as in Go."""
    value: Any = obj
    for depth, key in enumerate(path, start=1):
        value = value.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ShapeError(path[:depth], f"must be an object, found {type_name(value)}")
    return value  # type: ignore[no-any-return]  # narrowed step by step above


def mapping_of(value: Any) -> dict[str, Any]:
    """Return an object as it is, and an empty one for whatever else stands there."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, and none for whatever else stands there."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def images(pod_spec: dict[str, Any], *lists: str) -> list[str]:
    """Return the images in the named container lists of a pod spec, whatever else is in them."""
    found: list[str] = []
    for name in lists:
        containers = pod_spec.get(name)
        for container in containers if isinstance(containers, list) else ():
            image = container.get("image") if isinstance(container, dict) else None
            if isinstance(image, str):
                found.append(image)
    return found


_TYPE_NAMES = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number",
    str: "a string", list: "a list", dict: "an object",
}  # fmt: skip


def type_name(value: object) -> str:
    """Return what JSON calls the type of `value`, with its article."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as people write it: `spec.template.spec.affinity`, `terms[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
