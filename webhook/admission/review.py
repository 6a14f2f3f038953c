"""The wire contract of admission.k8s.io/v1: a request, decoded once into frozen values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from webhook.findings import ObjectRef

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"


class ReviewError(ValueError):
    """A body that is no AdmissionReview: a bad call, answered with 400. Quotes nothing of it."""


class Hook(enum.StrEnum):
    """Which of the two hooks is called."""

    MUTATE = "mutate"
    VALIDATE = "validate"


class Operation(enum.StrEnum):
    """What is being done to the object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One admission request. `object` is None for DELETE, `old_object` for CREATE.

    A name that is still to be generated ends in `*`, so that it equals no object's name. `beyond`
    names the bound that the review is beyond, where parts of it are seals.
    """

    uid: str
    operation: Operation
    group: str
    version: str
    kind: str
    sub_resource: str
    namespace: str | None
    name: str
    username: str
    groups: tuple[str, ...]
    dry_run: bool
    object: dict[str, Any] | None
    old_object: dict[str, Any] | None
    beyond: str | None = None

    @property
    def ref(self) -> ObjectRef:
        """The name of the object."""
        api_version = f"{self.group}/{self.version}" if self.group else self.version
        return ObjectRef(
            api_version=api_version, kind=self.kind, namespace=self.namespace, name=self.name
        )


def decode(document: object, *, beyond: str | None = None) -> Request:
    """Read a decoded AdmissionReview, or raise ReviewError.

    One that is `beyond` a bound may end before its stored object.
    """
    if not isinstance(document, dict):
        raise ReviewError("the body is not an object")
    if document.get("apiVersion") != API_VERSION or document.get("kind") != KIND:
        raise ReviewError(f"the body is not an {API_VERSION} {KIND}")
    request = document.get("request")
    if not isinstance(request, dict):
        raise ReviewError("request is missing")
    uid = _text(request, "uid")
    operation = _text(request, "operation")
    if not uid:
        raise ReviewError("request.uid is missing")
    if operation not in _OPERATIONS:
        raise ReviewError("request.operation is not one of CREATE, UPDATE, DELETE, CONNECT")
    kind = _object(request, "kind") or {}
    if not _text(kind, "kind"):
        raise ReviewError("request.kind is missing")
    user = _object(request, "userInfo") or {}
    obj = _object(request, "object")
    old = _object(request, "oldObject")
    if obj is None and operation in ("CREATE", "UPDATE"):
        raise ReviewError("request.object is missing")
    if old is None and operation == "UPDATE" and beyond is None:
        raise ReviewError("request.oldObject is missing")
    return Request(
        uid=uid,
        operation=_OPERATIONS[operation],
        group=_text(kind, "group"),
        version=_text(kind, "version"),
        kind=_text(kind, "kind"),
        sub_resource=_text(request, "subResource"),
        namespace=_text(request, "namespace") or _named(obj or old, "namespace") or None,
        name=_text(request, "name") or _named(obj or old, "name") or _generated(obj),
        username=_text(user, "username"),
        groups=tuple(group for group in _items(user, "groups") if isinstance(group, str)),
        dry_run=request.get("dryRun") is True,
        object=obj,
        old_object=old,
        beyond=beyond,
    )


_OPERATIONS = {operation.value: operation for operation in Operation}


def _text(parent: dict[str, Any], key: str) -> str:
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReviewError(f"{key} is not a string")
    return value


def _object(parent: dict[str, Any], key: str) -> dict[str, Any] | None:
    value = parent.get(key)
    if value is not None and not isinstance(value, dict):
        raise ReviewError(f"{key} is not an object")
    return value


def _items(parent: dict[str, Any], key: str) -> list[Any]:
    value = parent.get(key)
    return value if isinstance(value, list) else []


def _named(obj: dict[str, Any] | None, key: str) -> str:
    """Return what an object's metadata says, for requests that leave it out."""
    metadata = (obj or {}).get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def _generated(obj: dict[str, Any] | None) -> str:
    prefix = _named(obj, "generateName")
    return f"{prefix}*" if prefix else ""
