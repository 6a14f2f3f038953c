"""A hybrid cluster in a network of its own, into which the chart is installed as a user would."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.cluster.chart import CHART
from tests.cluster.controlplane import nodes, programs
from tests.cluster.controlplane.commands import SERVICE_RANGE
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.processes import ControlPlaneError
from tests.cluster.installation import network
from tests.cluster.installation.runner import Runner
from tests.conftest import ROOT
from tests.image.build import Image

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/{}webhookconfigurations/hybrid-guard"


class HybridCluster:
    """The control plane with kube-proxy and the hybrid nodes, and a runner for the guard's pods."""

    def __init__(self, image: Image, *, sync_seconds: float = 60.0) -> None:
        self._image, self._sync_seconds = image, sync_seconds
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start it; the calling thread is in its network until the end.

        Raises debian.MissingError where this machine lacks what it takes.
        """
        network.require()
        with ExitStack() as stack:
            stack.enter_context(network.isolated(SERVICE_RANGE))
            plane = ControlPlane(address=network.NODE_ADDRESS, audit_level="Metadata")
            self.plane = stack.enter_context(plane)
            self.plane.add_nodes(nodes.HYBRID)
            runner = Runner(self.plane, self._image, sync_seconds=self._sync_seconds)
            self.runner = stack.enter_context(runner)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all of it."""
        self._stack.close()

    def run(self, command: str) -> str:
        """Run a command line as a user types it, at the project's top, and return what it prints."""
        tools = programs.require("helm")["helm"].parent, programs.kubectl().parent
        env = {
            "PATH": os.pathsep.join([*map(str, tools), os.environ["PATH"]]),
            "KUBECONFIG": str(self.plane.kubeconfig),
            "HOME": str(self.plane.folder),
        }
        done = subprocess.run(
            ["sh", "-ec", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            told = f"{command}\n{done.stdout}{done.stderr}\n{self.runner.logs()}"
            raise ControlPlaneError(told) from self.runner.error
        return done.stdout

    def helm(self, verb: str, *, chart: Path = CHART, values: str = "") -> str:
        """Install or upgrade the release from a chart."""
        return self.run(
            f"helm {verb} hybrid-guard {chart} -n kube-system --set network=bgp {values}"
        )

    def ready(self, component: str) -> int:
        """Return how many pods of a Deployment are up to date and ready, and no others left."""
        name = {"server": "hybrid-guard", "certs": "hybrid-guard-certs"}[component]
        path = f"/apis/apps/v1/namespaces/kube-system/deployments/{name}"
        found: dict[str, Any] = self.plane.raw("GET", path).json()
        status = found.get("status", {})
        if status.get("observedGeneration") != found.get("metadata", {}).get("generation"):
            return 0
        updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
        return int(status.get("readyReplicas", 0)) if updated == total else 0

    def until_ready(self, seconds: float = 120) -> None:
        """Return when both servers and both rotators are ready and no old pod is left."""
        for component in ("server", "certs"):
            self.until(
                lambda component=component: (
                    self.ready(component) == len(self.runner.lives(component)) == 2
                ),
                f"two pods of {component} to be ready",
                seconds,
            )

    def until(self, check: Any, what: str, seconds: float = 60) -> Any:
        """Wait as the control plane does, and show the pods' logs when it is in vain."""
        try:
            return self.plane.until(check, what, seconds)
        except ControlPlaneError as error:
            raise ControlPlaneError(f"{error}\n{self.runner.logs()}") from self.runner.error
