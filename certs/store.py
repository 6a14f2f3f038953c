"""Where the certificates are kept: a Secret, or a directory. One write at a time wins.

What is kept: `ca.crt`, `ca.key` (the CA that signs), `next-ca.*` (the one that will), `old-ca.crt`
(the one it replaces, still trusted), `tls.crt`, `tls.key` (the server's pair), `published` (when
each CA was read back from every hook). The server mounts the pair alone.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from certs.kube import ApiError, Kube

KEYS = (
    "ca.crt", "ca.key", "next-ca.crt", "next-ca.key", "old-ca.crt", "tls.crt", "tls.key",
    "published",
)  # fmt: skip
_SECRET_KEYS = frozenset({"ca.key", "next-ca.key", "tls.key"})
_CONFLICT, _NOT_FOUND = 409, 404


class ConflictError(Exception):
    """Somebody else wrote in between: look again."""


class StoreError(Exception):
    """The store cannot be read or written: why, in a line."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a store held, and the version a write must find unchanged."""

    data: Mapping[str, bytes]
    version: str


class Store(Protocol):
    """A place that keeps the certificates."""

    def read(self) -> Snapshot:
        """Return what is there. Raises StoreError."""

    def write(self, data: Mapping[str, bytes], version: str) -> None:
        """Replace what is there, or raise ConflictError when it is not of this version."""


class SecretStore:
    """A Secret that exists: no right to create one is needed, and none to read any other."""

    def __init__(self, kube: Kube, namespace: str, name: str) -> None:
        self._kube = kube
        self._path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        self._name = f"{namespace}/{name}"

    def read(self) -> Snapshot:
        """Return the Secret's data; what is no base64 counts as missing."""
        try:
            secret = self._kube.get(self._path)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                raise StoreError(
                    f"Secret {self._name} does not exist: the chart makes it"
                ) from None
            raise StoreError(f"Secret {self._name}: {error}") from None
        data = {key: _decoded(value) for key, value in (secret.get("data") or {}).items()}
        return Snapshot(data, secret["metadata"]["resourceVersion"])

    def write(self, data: Mapping[str, bytes], version: str) -> None:
        """Replace our keys in one update; keys of others stay."""
        body: dict[str, Any] = {
            "metadata": {"resourceVersion": version},
            "data": {
                key: base64.b64encode(data[key]).decode() if key in data else None for key in KEYS
            },
        }
        try:
            self._kube.merge(self._path, body)
        except ApiError as error:
            if error.status == _CONFLICT:
                raise ConflictError from None
            raise StoreError(f"Secret {self._name}: {error}") from None


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError:
        return b""


class DirectoryStore:
    """Files in a directory, for a server that does not run in the cluster.

    A new generation is a new folder, and one link is swapped: a reader never sees half of it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._current = folder / "current"

    def read(self) -> Snapshot:
        """Return the files of the current generation."""
        data: dict[str, bytes] = {}
        for key in KEYS:
            try:
                data[key] = (self._current / key).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"{self._current / key}: {error.strerror}") from None
        return Snapshot(data, _digest(data))

    def write(self, data: Mapping[str, bytes], version: str) -> None:
        """Write a generation and swap the link, one process at a time."""
        try:
            with self._locked():
                if self.read().version != version:
                    raise ConflictError
                self._swap(data)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _swap(self, data: Mapping[str, bytes]) -> None:
        was = self._current.resolve() if self._current.is_symlink() else None
        generation = Path(tempfile.mkdtemp(prefix="generation-", dir=self._folder))
        generation.chmod(0o755)
        for key, value in data.items():
            mode = 0o600 if key in _SECRET_KEYS else 0o644
            handle = os.open(generation / key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(value)
        link = self._folder / ".next"
        link.unlink(missing_ok=True)
        link.symlink_to(generation.name)
        link.replace(self._current)
        if was is not None and was.parent == self._folder.resolve():
            shutil.rmtree(was)


def _digest(data: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(data.items()):
        digest.update(f"{key} {len(value)} ".encode() + value)
    return digest.hexdigest()
