"""One pod's life: containers started, probed, restarted after a while, drained and ended.

As a kubelet does it where the guard depends on it: volumes are brought up to date when a container
starts and once every sync; a pod that goes is told so by preStop, then SIGTERM, then SIGKILL; its
object is deleted last.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.controlplane.commands import API_SERVICE
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.installation.network import NODE_ADDRESS, Sandbox
from tests.cluster.installation.volumes import NotYetError, Volumes
from tests.conftest import ROOT
from tests.image.build import Image

PROGRAM = (sys.executable, "-m", "tests.cluster.installation.container")
TICK = 0.1
BACKOFF = 10.0
"""Seconds before a container's second start; doubled each time, as a kubelet's."""


class Probe:
    """One probe of a container: asked each period, decided after so many answers of a kind."""

    def __init__(self, given: dict[str, Any], container: dict[str, Any], address: str) -> None:
        self._get = given["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self._port = ports.get(self._get["port"], self._get["port"])
        self._address = address
        self._period = float(given.get("periodSeconds", 10))
        self._timeout = float(given.get("timeoutSeconds", 1))
        self._failures_needed = int(given.get("failureThreshold", 3))
        self._next, self._failures = time.monotonic(), 0
        self.passed: bool | None = None

    def step(self) -> None:
        """Ask if it is time to; `passed` is None until there is a decision."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._period
        if self._answers():
            self._failures, self.passed = 0, True
            return
        self._failures += 1
        if self._failures >= self._failures_needed:
            self.passed = False

    def _answers(self) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            self._address, self._port, timeout=self._timeout, context=context
        )
        try:
            connection.request("GET", self._get["path"])
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class PodLife(threading.Thread):
    """A pod that runs. `gone` is called when its object is deleted."""

    def __init__(
        self,
        plane: ControlPlane,
        pod: dict[str, Any],
        image: Image,
        folder: Path,
        *,
        sync_seconds: float,
        held: Callable[[], bool],
    ) -> None:
        super().__init__(name=pod["metadata"]["name"], daemon=True)
        self._plane, self._pod, self._image, self._folder = plane, pod, image, folder
        self._sync_seconds, self._held = sync_seconds, held
        [self._container] = pod["spec"]["containers"]
        self._process: subprocess.Popen[bytes] | None = None
        self._news: dict[str, Any] = {}
        self._published: dict[str, Any] = {}
        self._restarts = 0
        self._deleted = threading.Event()
        self._abandoned = threading.Event()
        self.started_at: float | None = None
        self.sandbox = Sandbox()
        self._volumes = Volumes(plane, pod, folder / "volumes")

    def delete(self) -> None:
        """Tell it that the object has a deletionTimestamp."""
        self._deleted.set()

    def abandon(self) -> None:
        """End it with the test."""
        self._abandoned.set()
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send the container's first process a signal from outside."""
        pid = self._pid()
        if pid is not None:
            os.kill(pid, number)

    @property
    def is_running(self) -> bool:
        """Whether the container's process is there."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Return what the containers wrote so far."""
        logs = sorted(self._folder.glob("*.log"))
        return "\n".join(path.read_text("utf-8", "replace") for path in logs)

    def run(self) -> None:
        """Live until deleted or abandoned."""
        try:
            wait = 0.0
            while self._pause(wait) and self._start():
                status = self._supervise()
                if status is None:
                    break
                self._tell(f"exit status {status}")
                if self._pod["spec"].get("restartPolicy") == "Never":
                    self._publish(phase="Failed" if status else "Succeeded", ready=False)
                    self._pause(float("inf"))
                    break
                wait = BACKOFF * 2**self._restarts
                self._restarts += 1
                self._publish(ready=False)
            if not self._abandoned.is_set():
                self._end()
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self.sandbox.close()

    def _pause(self, seconds: float) -> bool:
        """Wait so long, and while it is held; False when there is nothing to go on for."""
        end = time.monotonic() + seconds
        while not (self._deleted.is_set() or self._abandoned.is_set()):
            if time.monotonic() >= end and not self._held():
                return True
            self._flush()
            time.sleep(TICK)
        return False

    def _start(self) -> bool:
        """Mount and start; tries again while what is to be mounted is missing."""
        while not (self._deleted.is_set() or self._abandoned.is_set()):
            try:
                self._volumes.refresh()
                break
            except (NotYetError, OSError) as error:
                self._tell(str(error))
                time.sleep(1)
        else:
            return False
        spec = self._folder / f"spec-{self._restarts}.json"
        spec.write_text(json.dumps(self._spec()))
        log = (self._folder / f"container-{self._restarts}.log").open("wb")
        (self._folder / "pid").unlink(missing_ok=True)
        with log:
            self._process = subprocess.Popen(
                [*PROGRAM, str(spec)], cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.started_at = time.monotonic()
        self._publish(ready=False)
        return True

    def _spec(self) -> dict[str, Any]:
        security = self._pod["spec"]["securityContext"]
        scratch = self._folder / f"scratch-{self._restarts}"
        scratch.mkdir()
        env = {"KUBERNETES_SERVICE_HOST": API_SERVICE, "KUBERNETES_SERVICE_PORT": "443"}
        env |= {"HOSTNAME": self._pod["metadata"]["name"], **self._image.env}
        env |= {entry["name"]: entry["value"] for entry in self._container.get("env", [])}
        own = self._container["securityContext"]
        return {
            "sandbox": self.sandbox.pid,
            "rootfs": str(self._image.rootfs),
            "scratch": str(scratch),
            "pidfile": str(self._folder / "pid"),
            "mounts": self._volumes.mounts(self._container),
            "readOnlyRootFilesystem": own["readOnlyRootFilesystem"],
            "uid": security["runAsUser"],
            "gid": security["runAsGroup"],
            "groups": [security["fsGroup"]],
            "env": env,
            "command": [*self._container["command"], *self._container.get("args", [])],
        }

    def _supervise(self) -> int | None:
        """Probe until the container ends (its exit status) or the pod is to go (None)."""
        assert self._process is not None
        startup, live, ready = (
            Probe(self._container[name], self._container, self.sandbox.address)
            if name in self._container else None
            for name in ("startupProbe", "livenessProbe", "readinessProbe")
        )  # fmt: skip
        synced = time.monotonic()
        while not (self._deleted.is_set() or self._abandoned.is_set()):
            status = self._process.poll()
            if status is not None:
                return status
            if startup is not None and startup.passed is not True:
                startup.step()
            else:
                for probe in (live, ready):
                    if probe is not None:
                        probe.step()
                self._publish(ready=ready is None or ready.passed is True)
            if any(p is not None and p.passed is False for p in (startup, live)):
                self._tell("a probe failed: killed")
                self._terminate(float(self._pod["spec"]["terminationGracePeriodSeconds"]))
            if time.monotonic() - synced > self._sync_seconds:
                synced = time.monotonic()
                self._sync()
            time.sleep(TICK)
        return None

    def _sync(self) -> None:
        try:
            self._volumes.refresh()
        except (NotYetError, OSError) as error:
            self._tell(str(error))

    def _end(self) -> None:
        """Drain and stop the container, then delete the object."""
        grace = float(self._pod["metadata"].get("deletionGracePeriodSeconds")
                      or self._pod["spec"].get("terminationGracePeriodSeconds", 30))  # fmt: skip
        if self.is_running:
            self._terminate(grace)
        path = self._path()
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
        while not self._abandoned.is_set():
            try:
                self._plane.raw("DELETE", path, body)
            except OSError:
                time.sleep(1)
            else:
                return

    def _terminate(self, grace: float) -> None:
        assert self._process is not None
        end = time.monotonic() + grace
        hook = self._container.get("lifecycle", {}).get("preStop")
        if hook is not None:
            self._tell(f"preStop ended with {self._execute(hook['exec']['command'], grace)}")
        self.signal(signal.SIGTERM)
        try:
            self._tell(f"ended with {self._process.wait(max(2.0, end - time.monotonic()))}")
        except subprocess.TimeoutExpired:
            self._tell("killed after the grace period")
            self.signal(signal.SIGKILL)
            self._process.wait()

    def _execute(self, command: list[str], seconds: float) -> int | None:
        """Run a command in the container; None when it is gone, or did not end in time."""
        pid = self._pid()
        if pid is None:
            return None
        spec = self._folder / "exec.json"
        spec.write_text(
            json.dumps({**json.loads(self._spec_file().read_text()), "command": command})
        )
        done = subprocess.Popen(
            [*PROGRAM, str(spec), "enter", str(pid)], cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return done.wait(seconds)
        except subprocess.TimeoutExpired:
            done.kill()
            return None

    def _spec_file(self) -> Path:
        return self._folder / f"spec-{self._restarts}.json"

    def _pid(self) -> int | None:
        """Return the container's first process, None where there is none any more."""
        file = self._folder / "pid"
        text = file.read_text() if self.is_running and file.exists() else ""
        return int(text) if text else None

    def _path(self) -> str:
        metadata = self._pod["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    def _publish(self, *, ready: bool, phase: str = "Running") -> None:
        """Say how the pod is; what the API server does not hear is said again."""
        self._news = {
            "ready": ready, "phase": phase, "restarts": self._restarts, "up": self.is_running,
        }  # fmt: skip
        self._flush()

    def _flush(self) -> None:
        """Write the pod's status where it is news."""
        news = self._news
        if news == self._published:
            return
        body = {"status": self._status(**news)}
        kind = "application/strategic-merge-patch+json"
        try:
            answer = self._plane.raw("PATCH", f"{self._path()}/status", body, kind)
        except OSError:
            return
        if answer.status == 200:
            self._published = news

    def _status(self, *, ready: bool, phase: str, restarts: int, up: bool) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        state: dict[str, Any] = {"running": {"startedAt": now}}
        if not up:
            state = {"waiting": {"reason": "CrashLoopBackOff"}}
        if phase != "Running":
            code = 0 if phase == "Succeeded" else 1
            state = {"terminated": {"exitCode": code, "reason": "Completed", "finishedAt": now}}
        truths = {"Initialized": True, "ContainersReady": ready, "Ready": ready}
        return {
            "phase": phase, "hostIP": NODE_ADDRESS, "startTime": now,
            "podIP": self.sandbox.address, "podIPs": [{"ip": self.sandbox.address}],
            "conditions": [
                {"type": name, "status": str(truth), "lastTransitionTime": now}
                for name, truth in truths.items()
            ],
            "containerStatuses": [
                {
                    "name": self._container["name"], "image": self._container["image"],
                    "imageID": "", "ready": ready, "started": up, "restartCount": restarts,
                    "state": state,
                }
            ],
        }  # fmt: skip

    def _tell(self, text: str) -> None:
        with (self._folder / "life.log").open("a") as file:
            file.write(f"{dt.datetime.now(dt.UTC):%H:%M:%S} {text}\n")
