"""Writes that call both hooks, at a steady pace or in bursts, until told to stop."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from tests.cluster.controlplane.plane import ControlPlane

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments?dryRun=All"
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web"}]},
        },
    },
}


def write(plane: ControlPlane) -> str:
    """Create a Deployment as a dry run; return what went wrong."""
    answer = plane.raw("POST", DEPLOYMENTS, DEPLOYMENT)
    return "" if answer.status == 201 else str(answer.json()["message"])


class Load:
    """`together` writes at once, as often as makes 20 a second; `failed` tells what did."""

    RATE = 20

    def __init__(self, plane: ControlPlane, together: int = 1) -> None:
        self._plane = plane
        self._together = together
        self._stop = threading.Event()
        self._writes: list[Future[str]] = []
        self._thread = threading.Thread(target=self._run)
        plane.client()  # made here, once

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for the last answer."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(2 * self._together + 2) as threads:
            while not self._stop.wait(self._together / self.RATE):
                for _ in range(self._together):
                    self._writes.append(threads.submit(write, self._plane))

    @property
    def count(self) -> int:
        """How many writes were begun so far."""
        return len(self._writes)

    @property
    def failed(self) -> list[str]:
        """What went wrong, of those that are answered."""
        return [told for done in self._writes if done.done() and (told := done.result())]
