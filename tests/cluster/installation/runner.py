"""The runner: for every pod of the guard that the scheduler placed, a life."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.installation.pod import TICK, PodLife
from tests.image.build import Image

LABEL = "app.kubernetes.io/name=hybrid-guard"
COMPONENT = "app.kubernetes.io/component"
_PODS = f"/api/v1/namespaces/kube-system/pods?labelSelector={LABEL.replace('=', '%3D')}"


class Runner:
    """Runs the guard's pods while it is entered; `sync_seconds` as the kubelet's (60 by default)."""

    def __init__(self, plane: ControlPlane, image: Image, *, sync_seconds: float = 60.0) -> None:
        self._plane, self._image, self._sync_seconds = plane, image, sync_seconds
        self._lives: dict[str, PodLife] = {}
        self._components: dict[str, str] = {}
        self._held: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="runner", daemon=True)
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._folder = Path(tempfile.mkdtemp(prefix="hybrid-guard-pods-"))
        self._folder.chmod(0o755)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every pod at once and remove what they left."""
        self._stop.set()
        self._thread.join()
        for life in self._lives.values():
            life.abandon()
        for life in self._lives.values():
            life.join()
        shutil.rmtree(self._folder)

    def hold(self, *components: str) -> None:
        """Start no container of these until they are released; `crash` ends those that run."""
        self._held |= set(components)

    def release(self) -> None:
        """Start what was held."""
        self._held.clear()

    def crash(self, component: str) -> None:
        """Kill every container of a component at once, as a machine that fails does."""
        for life in self.lives(component):
            life.signal(signal.SIGKILL)

    def lives(self, component: str) -> list[PodLife]:
        """Return the pods of a component that live now."""
        return [
            life for uid, life in list(self._lives.items())
            if self._components[uid] == component and life.is_alive()
        ]  # fmt: skip

    def logs(self) -> str:
        """Return the end of what each pod did and wrote, for a failure."""
        parts = []
        for life in self._lives.values():
            lines = life.log().splitlines()[-12:]
            parts.append("\n".join([f"--- {life.name}", *lines]))
        return "\n".join(parts)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except BaseException as error:  # noqa: BLE001  # the test shows it
                self.error = error
                return
            self._stop.wait(TICK)

    def _look(self) -> None:
        try:
            answer = self._plane.raw("GET", _PODS)
        except OSError:
            return  # the API server is away
        found = {pod["metadata"]["uid"]: pod for pod in answer.json()["items"]}
        for uid, pod in found.items():
            if uid not in self._lives and pod["spec"].get("nodeName"):
                self._begin(uid, pod)
            if uid in self._lives and pod["metadata"].get("deletionTimestamp"):
                self._lives[uid].delete()

    def _begin(self, uid: str, pod: dict[str, Any]) -> None:
        component = pod["metadata"]["labels"].get(COMPONENT, "")
        folder = self._folder / uid
        folder.mkdir()
        pod["metadata"]["namespace"] = "kube-system"
        self._components[uid] = component
        self._lives[uid] = PodLife(
            self._plane, pod, self._image, folder,
            sync_seconds=self._sync_seconds, held=lambda: component in self._held,
        )  # fmt: skip
        self._lives[uid].start()
