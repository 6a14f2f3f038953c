"""The caBundle of every hook in the two webhook configurations.

Only `clientConfig.caBundle` is written, each by its index and guarded by the object's version, so
that what Helm, Argo CD or a user wrote stays. An empty caBundle means the system's roots: every
call would fail.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import pem
from certs.kube import ApiError, Kube
from certs.pem import Bundle

_GROUP = "/apis/admissionregistration.k8s.io/v1"
KINDS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_NOT_FOUND, _CONFLICT = 404, 409

Wanted = Callable[[Bundle], Sequence[x509.Certificate]]
"""What a hook should hold that now holds this: what is foreign stays with its hook."""


class InjectError(Exception):
    """The hooks cannot be read or written: why, in a line."""


class Hooks(Protocol):
    """Whoever must trust the CA."""

    def bundles(self) -> tuple[Bundle, ...]:
        """Return what each hook trusts."""

    def publish(self, wanted: Wanted) -> None:
        """Make every hook trust exactly what is wanted of it."""


class NoHooks:
    """A directory's certificates: whoever mounts them tells the API server."""

    def bundles(self) -> tuple[Bundle, ...]:
        """Return none."""
        return ()

    def publish(self, wanted: Wanted) -> None:
        """Do nothing."""


class Configurations:
    """The two configurations of one name; one that does not exist has no hooks."""

    def __init__(self, kube: Kube, name: str) -> None:
        self._kube = kube
        self._paths = tuple(f"{_GROUP}/{kind}/{name}" for kind in KINDS)

    def bundles(self) -> tuple[Bundle, ...]:
        """Return what each hook trusts."""
        found: list[Bundle] = []
        for path in self._paths:
            found += [_bundle(hook) for hook in self._hooks(path)[1]]
        return tuple(found)

    def publish(self, wanted: Wanted) -> None:
        """Write a bundle where it differs. A write in between is no error: look again."""
        for path in self._paths:
            version, hooks = self._hooks(path)
            texts = [_text(wanted(_bundle(hook))) for hook in hooks]
            ops = [
                {"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": text}
                for index, (hook, text) in enumerate(zip(hooks, texts, strict=True))
                if hook["clientConfig"].get("caBundle") != text
            ]
            if ops:
                self._patch(path, version, ops)

    def _patch(self, path: str, version: str, ops: list[dict[str, Any]]) -> None:
        guard = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
        try:
            self._kube.patch(path, [guard, *ops])
        except ApiError as error:
            if error.status not in (_CONFLICT, _NOT_FOUND, 422):
                raise InjectError(f"{path}: {error}") from None

    def _hooks(self, path: str) -> tuple[str, list[dict[str, Any]]]:
        try:
            found = self._kube.get(path)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return "", []
            raise InjectError(f"{path}: {error}") from None
        return found["metadata"]["resourceVersion"], found.get("webhooks") or []


def _text(trusted: Sequence[x509.Certificate]) -> str:
    return base64.b64encode(b"".join(ca.public_bytes(Encoding.PEM) for ca in trusted)).decode()


def _bundle(hook: dict[str, Any]) -> Bundle:
    text = hook["clientConfig"].get("caBundle") or ""
    try:
        return pem.bundle(base64.b64decode(text, validate=True))
    except ValueError:
        return Bundle((), whole=False)
