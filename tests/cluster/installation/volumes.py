"""A pod's volumes as a kubelet writes them: whole, by the swap of one link, and again when it syncs.

ConfigMaps, Secrets, projected volumes (token, ConfigMap, namespace) and empty folders: what the
chart uses. The API server is asked for each, as the object may have changed.
"""

from __future__ import annotations

import base64
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster.controlplane.plane import ControlPlane

_TOKEN_SECONDS = 3600
Files = dict[str, bytes]


class NotYetError(Exception):
    """What a volume names does not exist: the container cannot be started."""


class Volumes:
    """The volumes of one pod below a folder of their own."""

    _generations = itertools.count()

    def __init__(self, plane: ControlPlane, pod: dict[str, Any], folder: Path) -> None:
        self._plane, self._pod, self._folder = plane, pod, folder
        self._bound_token: bytes | None = None
        self._group = int(pod["spec"].get("securityContext", {}).get("fsGroup", 0))
        folder.mkdir(parents=True)

    def refresh(self) -> None:
        """Write what changed. Raises NotYetError, or OSError where the API server is away."""
        for volume in self._pod["spec"].get("volumes", []):
            files = self._files(volume)
            target = self._folder / volume["name"]
            if files is None:
                target.mkdir(exist_ok=True)
                os.chown(target, 0, self._group)
                target.chmod(0o2777)
            elif files != _held(target):
                self._swap(target, files, _mode(volume))

    def mounts(self, container: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a container's mounts: source, target, whether read-only."""
        return [
            {
                "source": str(self._folder / mount["name"]),
                "target": mount["mountPath"],
                "readOnly": mount.get("readOnly", False),
            }
            for mount in container.get("volumeMounts", [])
        ]

    def _files(self, volume: dict[str, Any]) -> Files | None:
        if "emptyDir" in volume:
            return None
        if "projected" in volume:
            files: Files = {}
            for source in volume["projected"]["sources"]:
                files |= self._source(source)
            return files
        return self._source(volume)

    def _source(self, source: dict[str, Any]) -> Files:
        if "configMap" in source:
            return self._keys("configmaps", source["configMap"], source["configMap"]["name"])
        if "secret" in source:
            return self._keys("secrets", source["secret"], source["secret"]["secretName"])
        if "serviceAccountToken" in source:
            self._bound_token = self._bound_token or self._token()
            return {source["serviceAccountToken"]["path"]: self._bound_token}
        [item] = source["downwardAPI"]["items"]
        assert item["fieldRef"]["fieldPath"] == "metadata.namespace"
        return {item["path"]: self._namespace.encode()}

    def _keys(self, resource: str, given: dict[str, Any], name: str) -> Files:
        answer = self._plane.raw("GET", f"/api/v1/namespaces/{self._namespace}/{resource}/{name}")
        optional = given.get("optional", False)
        if answer.status != 200:
            if optional:
                return {}
            raise NotYetError(f"{resource} {name}: {answer.status}")
        data = answer.json().get("data") or {}
        decoded = {
            key: base64.b64decode(value) if resource == "secrets" else value.encode()
            for key, value in data.items()
        }
        items = given.get("items")
        if items is None:
            return decoded
        missing = [item["key"] for item in items if item["key"] not in decoded]
        if missing and not optional:
            raise NotYetError(f"{resource} {name} has no {missing}")
        return {item["path"]: decoded[item["key"]] for item in items if item["key"] in decoded}

    def _token(self) -> bytes:
        bound = {"apiVersion": "v1", "kind": "Pod", "name": self._pod["metadata"]["name"],
                 "uid": self._pod["metadata"]["uid"]}  # fmt: skip
        account = self._pod["spec"]["serviceAccountName"]
        answer = self._plane.raw(
            "POST",
            f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token",
            {"spec": {"expirationSeconds": _TOKEN_SECONDS, "boundObjectRef": bound}},
        )
        return str(answer.json()["status"]["token"]).encode()

    def _swap(self, target: Path, files: Files, mode: int) -> None:
        target.mkdir(exist_ok=True)
        generation = target / f"..{next(self._generations)}"
        generation.mkdir()
        for name, content in files.items():
            path = generation / name
            path.write_bytes(content)
            path.chmod(mode | (0o040 if self._group else 0))
            os.chown(path, 0, self._group)
        link, new = target / "..data", target / "..new"
        before = link.resolve() if link.is_symlink() else None
        new.symlink_to(generation.name)
        new.replace(link)
        for name in files:
            shown = target / name
            if not shown.is_symlink():
                shown.symlink_to(Path("..data") / name)
        for shown in _shown(target):
            if shown.name not in files:
                shown.unlink()
        if before is not None:
            shutil.rmtree(before)

    @property
    def _namespace(self) -> str:
        return str(self._pod["metadata"]["namespace"])


def _shown(target: Path) -> Iterator[Path]:
    return (path for path in list(target.glob("*")) if not path.name.startswith(".."))


def _held(target: Path) -> Files | None:
    if not (target / "..data").is_symlink():
        return None
    return {path.name: path.read_bytes() for path in _shown(target)}


def _mode(volume: dict[str, Any]) -> int:
    (source,) = (value for key, value in volume.items() if key != "name")
    return int(source.get("defaultMode", 0o644))
