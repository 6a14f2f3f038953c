"""Writes to the API server at a steady pace from three writers, each counted apart.

`workload` creates a DaemonSet of the catalogue as its manifest has it, without a pin, and puts the
same manifest over it; `eni-config` puts eni-config; `other` writes what no hook matches. The first
two together are 20 matched writes a second.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from tests.cluster.controlplane.client import Answer, Client
from tests.cluster.controlplane.plane import ControlPlane

DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
KEY = "alibabacloud.com/external"
PER_SECOND = {"workload": 10, "eni-config": 10, "other": 2}
NO_ANSWER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write and what became of it; `pinned` where a workload was stored."""

    writer: str
    operation: str
    name: str
    at: float
    status: int
    message: str = ""
    pinned: bool | None = None

    @property
    def failed(self) -> bool:
        """Whether it was not stored."""
        return not 200 <= self.status < 300


class Load:
    """Writes from `__enter__` to `__exit__`; `writes` holds each of them.

    With `keeps_pins` a workload is put back as it was read, as `kubectl annotate` would do it:
    while the guard is down the safety net refuses to put the bare manifest over a pinned one.
    """

    _runs = itertools.count()

    def __init__(self, plane: ControlPlane, *, keeps_pins: bool = False) -> None:
        self._client = plane.client()
        self._plane = plane
        self._keeps_pins = keeps_pins
        self._run = next(self._runs)
        self._stop = threading.Event()
        self.writes: list[Write] = []
        self._threads = [
            threading.Thread(target=self._paced, args=(name, writer), daemon=True)
            for name, writer in (
                ("workload", self._workloads), ("eni-config", self._eni), ("other", self._others)
            )
        ]  # fmt: skip

    def __enter__(self) -> Self:
        """Begin to write."""
        self._open_before = fail_opens(self._plane)
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the writes that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self.began
        self.opened = fail_opens(self._plane) - self._open_before

    def failed(self, *writers: str) -> list[Write]:
        """Return the writes of these writers that were not stored."""
        return [write for write in list(self.writes) if write.writer in writers and write.failed]

    def unpinned(self) -> list[Write]:
        """Return the workloads that were stored without a pin."""
        return [write for write in list(self.writes) if write.pinned is False]

    def held_up(self) -> list[Write]:
        """Return the writes of workloads and others that were not stored, and had no reason.

        A creation that is under way as the guard comes or goes may be denied: its validating hook is
        answered and its mutating one was not. The creations around it tell, as one is pinned; before
        the first one and behind the last the guard is there.
        """
        created = [w for w in list(self.writes) if (w.writer, w.operation) == ("workload", "POST")]
        pinned = [True, *(write.pinned for write in created), True]
        under_way = {
            write.name
            for write, before, behind in zip(created, pinned, pinned[2:], strict=False)
            if "HG101 " in write.message and before is not behind
        }
        return [w for w in self.failed("workload", "other") if w.name not in under_way]

    def stored_since(self, writer: str, moment: float) -> Write | None:
        """Return a writer's first write behind a moment that was stored."""
        found = (w for w in list(self.writes) if w.writer == writer and w.at > moment)
        return next((write for write in found if not write.failed), None)

    def figures(self) -> str:
        """Tell writes, failures, fail-opens and unpinned objects in a line."""
        counts = Counter(write.writer for write in self.writes)
        failures = Counter(write.writer for write in self.writes if write.failed)
        told = ", ".join(f"{name} {counts[name]} ({failures[name]} failed)" for name in PER_SECOND)
        return (
            f"{self.seconds:.0f} s: {told}; {self.opened} fail-opens, "
            f"{len(self.unpinned())} stored unpinned"
        )

    def _paced(self, name: str, writer: Callable[[Client, int], None]) -> None:
        pace, due = 1 / PER_SECOND[name], time.monotonic()
        for number in itertools.count():
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            due = max(due + pace, time.monotonic() - 1)  # never more than a second behind
            writer(self._client, number)

    def _workloads(self, client: Client, number: int) -> None:
        """Create, then put over it; the third call in turn is a deletion, which no hook matches."""
        name = f"kube-flannel-ds-load-{self._run}-{number // 2}"
        bare = daemonset(name)
        path = f"{DAEMONSETS}/{name}"
        if number % 2 == 0:
            self._write(client, "workload", "POST", DAEMONSETS, bare)
            return
        if self._keeps_pins:
            self._send("workload", "PUT", name, lambda: client.update(path, annotate))
        else:
            annotate(bare)
            self._write(client, "workload", "PUT", path, bare)
        self._write(client, "other", "DELETE", path, None)

    def _eni(self, client: Client, number: int) -> None:
        path = f"{CONFIG_MAPS}/eni-config"
        self._write(client, "eni-config", "PUT", path, eni_config(number))

    def _others(self, client: Client, number: int) -> None:
        name = f"unrelated-{self._run}-{number // 2}"
        body = {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": str(number)},
        }  # fmt: skip
        method, path = ("PUT", f"{CONFIG_MAPS}/{name}") if number % 2 else ("POST", CONFIG_MAPS)
        self._write(client, "other", method, path, body)
        if number % 2:
            self._write(client, "other", "DELETE", path, None)

    def _write(self, client: Client, writer: str, method: str, path: str, body: Any) -> None:
        name = body["metadata"]["name"] if body else path.rpartition("/")[2]
        self._send(writer, method, name, lambda: client.request(method, path, body))

    def _send(self, writer: str, method: str, name: str, send: Callable[[], Answer]) -> None:
        at = time.monotonic()
        try:
            answer = send()
        except OSError as error:
            self.writes.append(
                Write(
                    writer=writer,
                    operation=method,
                    name=name,
                    at=at,
                    status=NO_ANSWER,
                    message=str(error),
                )
            )
            return
        stored = answer.json()
        is_workload = writer == "workload" and answer.status in (200, 201)
        self.writes.append(
            Write(
                writer=writer, operation=method, name=name, at=at, status=answer.status,
                message=str(stored.get("message", "")),
                pinned=is_pinned(stored) if is_workload else None,
            )
        )  # fmt: skip


def annotate(obj: dict[str, Any]) -> None:
    """Make it another one, in place."""
    obj["metadata"]["annotations"] = {"written": "again"}


def daemonset(name: str) -> dict[str, Any]:
    """Return a DaemonSet without affinity, which no node suits: no pod is made of it."""
    labels = {"app": name}
    spec = {"nodeSelector": {"load": "none"}, "containers": [{"name": "c", "image": "i"}]}
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip


def is_pinned(stored: dict[str, Any]) -> bool:
    """Tell whether every node term keeps it off cloud nodes, in the one way the guard writes."""
    affinity = stored["spec"]["template"]["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms = required.get("nodeSelectorTerms", [])
    pin = {"key": KEY, "operator": "NotIn", "values": ["true"]}
    return bool(terms) and all(pin in term.get("matchExpressions", []) for term in terms)


def eni_config(number: int) -> dict[str, Any]:
    """Return a good eni-config, another one for each number."""
    conf = {
        "version": "1", "access_key": "LTAI5tFakeFakeFakeFakeFk", "access_secret": "fAkEfAkEfAkEfAkEfAkEfAkEfAkE00",
        "service_cidr": "10.0.0.0/24", "vswitches": {"cn-hangzhou-h": ["vsw-bp1loadloadloadload00"]},
        "security_group": "sg-bp1loadloadloadload00", "max_pool_size": 5 + number % 3, "min_pool_size": 0,
        "disable_network_policy": True,
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config", "namespace": "kube-system"},
        "data": {"eni_conf": json.dumps(conf), "10-terway.conf": json.dumps({"cniVersion": "0.4.0", "name": "terway", "type": "terway"}), "disable_network_policy": "true"},
    }  # fmt: skip


def fail_opens(plane: ControlPlane) -> int:
    """Return how often the API server let a write pass without the guard."""
    lines = plane.metrics().splitlines()
    name = "apiserver_admission_webhook_fail_open_count{"
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith(name))
