"""A control plane that runs on loopback: start it, talk to it, stop it without a trace.

Usable outside a test run too: `make playground` starts the same one. What each program is told is
in `commands`; nothing here knows about hybrid-guard but the hooks that tests register.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.cluster.controlplane import client as clients
from tests.cluster.controlplane import commands, hooks, processes, programs
from tests.cluster.controlplane.client import ADMIN, ADMIN_GROUP, Answer, Client
from tests.cluster.controlplane.commands import Layout
from tests.cluster.controlplane.nodes import Node, is_usable
from tests.cluster.controlplane.pki import Authority
from tests.cluster.controlplane.processes import ControlPlaneError, Running

T = TypeVar("T")

START_SECONDS = 90.0
"""Measured: 3 s on an idle machine; a busy one with two cores may need many times that."""


class ControlPlane:
    """etcd and kube-apiserver, with controllers, scheduler and KWOK's nodes unless declined.

    Each has its own temporary folder, ports and authority, so several run side by side. With an
    `address` that is not loopback pods that really run reach the API server there, and kube-proxy
    makes Services real.
    `audit_level` (Metadata, Request, RequestResponse) turns the audit log on;
    `apiserver_flags` are added to kube-apiserver's own.
    """

    def __init__(
        self,
        *,
        controllers: bool = True,
        scheduler: bool = True,
        kwok: bool = True,
        audit_level: str | None = None,
        apiserver_flags: Sequence[str] = (),
        address: str = commands.LOOPBACK,
    ) -> None:
        self._controllers = controllers
        self._wanted = ["etcd", "kube-apiserver"]
        self._wanted += ["kube-controller-manager"] * controllers
        self._wanted += ["kube-scheduler"] * scheduler
        self._wanted += ["kwok"] * kwok
        self._wanted += ["kube-proxy"] * (address != commands.LOOPBACK)
        self._address = address
        self._audit_level = audit_level
        self._apiserver_flags = apiserver_flags
        self._clients: dict[tuple[str, tuple[str, ...]], Client] = {}
        self._registrations = 0
        self._hooks: dict[str, set[str]] = {}
        self._stack = ExitStack()
        self.running: list[Running] = []
        self.authority = Authority()

    def __enter__(self) -> Self:
        """Start everything and return once the API server is ready."""
        self._programs = programs.require(*self._wanted)
        with ExitStack() as stack:
            prefix = "hybrid-guard-plane-"
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
            holders = [stack.enter_context(processes.reserve_port()) for _ in range(3)]
            ports = [int(holder.getsockname()[1]) for holder in holders]
            self._layout = Layout(
                folder=self.folder, etcd_port=ports[0], peer_port=ports[1], port=ports[2],
                address=self._address,
            )  # fmt: skip
            stack.callback(self.stop)
            commands.write_secrets(self._layout, self.authority, self._audit_level)
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything and remove the folder."""
        self._stack.close()

    def start(self) -> None:
        """Start every program; after `stop`, with what etcd held then."""
        layout, found = self._layout, self._programs
        self._run(found["etcd"], commands.etcd(layout))
        self.until(self._etcd_healthy, "etcd to be healthy", START_SECONDS)
        flags = commands.apiserver(
            layout, controllers=self._controllers, audit=self._audit_level is not None
        )
        self._run(found["kube-apiserver"], [*flags, *self._apiserver_flags])
        self.until(self._ready, "kube-apiserver to be ready", START_SECONDS)
        for name, user, flags_of in (
            ("kube-controller-manager", None, commands.controller_manager),
            ("kube-scheduler", None, commands.scheduler),
            ("kube-proxy", None, commands.proxy),
            ("kwok", ADMIN, commands.kwok),
        ):
            if name in found:
                groups = [ADMIN_GROUP] if user else []
                kubeconfig = self.client(user or f"system:{name}", groups).kubeconfig
                self._run(found[name], flags_of(layout, kubeconfig))
        if self._controllers:
            self.until(self._pods_admitted, "the default service accounts", START_SECONDS)

    def _run(self, program: Path, flags: Sequence[str | Path]) -> None:
        self.running.append(processes.start(program.name, [program, *flags], self.folder))

    def stop(self) -> None:
        """Kill every program."""
        # In reverse, so that kube-apiserver goes before etcd: without its store it hangs.
        while self.running:
            self.running.pop().kill()

    def _etcd_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._layout.etcd_port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _ready(self) -> bool:
        try:
            return self.raw("GET", "/readyz").status == 200
        except OSError:
            return False

    def _pods_admitted(self) -> bool:
        paths = [
            f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
            for namespace in ("default", "kube-system")
        ]
        return all(self.raw("GET", path).status == 200 for path in paths)

    def until(self, check: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
        """Poll until `check` returns something true, and return it.

        Fails at once when a program has ended, and past the deadline, with the logs' ends.
        """

        def step() -> T | None:
            dead = [child for child in self.running if child.process.poll() is not None]
            if dead:
                raise ControlPlaneError(f"waiting for {what}: a program ended\n{self.logs()}")
            return check()

        return processes.until(step, what, seconds, self.logs)

    def logs(self) -> str:
        """Return the end of each program's log."""
        return "\n".join(child.tail() for child in self.running)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self._layout.port}"

    @property
    def port(self) -> int:
        """The API server's port."""
        return self._layout.port

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; `client` makes one for anybody else."""
        return self.client().kubeconfig

    def client(self, user: str | None = None, groups: Sequence[str] = ()) -> Client:
        """Return a client with a certificate for the user; the administrator unless told.

        Good for system accounts too: `system:serviceaccount:kube-system:daemon-set-controller`.
        """
        name, members = (ADMIN, (ADMIN_GROUP,)) if user is None else (user, tuple(groups))
        key = (name, members)
        if key not in self._clients:
            self._clients[key] = clients.make_client(
                folder=self.folder / "users" / str(len(self._clients)),
                port=self._layout.port,
                authority=self.authority,
                user=name,
                groups=members,
            )
        return self._clients[key]

    def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        *,
        user: str | None = None,
        groups: Sequence[str] = (),
    ) -> Answer:
        """Make one HTTPS call; anything but bytes is sent as JSON."""
        return self.client(user, groups).request(method, path, body, content_type)

    def update(
        self,
        path: str,
        change: Callable[[dict[str, Any]], None],
        *,
        user: str | None = None,
        groups: Sequence[str] = (),
    ) -> Answer:
        """Change what is stored, again where another write came in between: `Client.update`."""
        return self.client(user, groups).update(path, change)

    def compact(self) -> None:
        """Let etcd forget every revision but the present one."""
        header = self._etcd("/v3/kv/range", {"key": "AA=="})["header"]
        self._etcd("/v3/kv/compaction", {"revision": header["revision"]})

    def _etcd(self, path: str, body: object) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._layout.etcd_port, timeout=5)
        try:
            connection.request("POST", path, json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def metrics(self) -> str:
        """Return kube-apiserver's metrics."""
        return self.raw("GET", "/metrics").body.decode()

    def metrics_since(self, before: str) -> list[str]:
        """Return the lines of its metrics that are not in `before`: what was counted since then.

        A plane is shared, so what its metrics say in all is what every test before has done.
        """
        return sorted(set(self.metrics().splitlines()) - set(before.splitlines()))

    def audit_events(self) -> list[dict[str, Any]]:
        """Return the audit log so far; needs `audit_level`."""
        lines = self._layout.audit_log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def kubectl(
        self,
        *args: str,
        stdin: str | None = None,
        check: bool = True,
        user: str | None = None,
        groups: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl; with `check`, a failure raises with what it said."""
        result = subprocess.run(
            [programs.kubectl(), *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={"HOME": str(self.folder), "KUBECONFIG": str(self.client(user, groups).kubeconfig)},
        )
        if check and result.returncode != 0:
            raise ControlPlaneError(f"kubectl {' '.join(args)}: {result.stderr}{result.stdout}")
        return result

    def get_json(self, *args: str) -> Any:
        """Return what `kubectl get ... -o json` prints, decoded."""
        return json.loads(self.kubectl("get", *args, "-o", "json").stdout)

    def apply(
        self, what: str | Sequence[dict[str, Any]], *args: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Apply YAML text or objects with `kubectl apply`."""
        if not isinstance(what, str):
            what = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(what)})
        return self.kubectl("apply", "-f", "-", *args, stdin=what, check=check)

    def add_nodes(self, nodes: Sequence[Node], seconds: float = 60.0) -> None:
        """Create nodes and wait until each is Ready and free of the node controller's taints."""
        self.apply([node.document() for node in nodes])
        names = {node.name for node in nodes}

        def all_ready() -> bool:
            items = self.raw("GET", "/api/v1/nodes").json()["items"]
            return names <= {node["metadata"]["name"] for node in items if is_usable(node)}

        self.until(all_ready, f"nodes {', '.join(sorted(names))}", seconds)

    def register_guard(
        self,
        url_base: str,
        ca_pem: bytes,
        *,
        name: str = "hybrid-guard",
        failure_policy: str = "Ignore",
    ) -> None:
        """Register the hooks and return when kube-apiserver calls each of them.

        Each registration names its hooks anew, so that its calls can be told from an older one's
        in the metrics: kube-apiserver takes over a changed configuration a moment later.
        """
        self._registrations += 1
        options = {"name": name, "domain": f"r{self._registrations}.hybrid-guard.io"}
        documents = [
            hooks.mutating(url_base, ca_pem, failure_policy=failure_policy, **options),
            hooks.validating(url_base, ca_pem, failure_policy=failure_policy, **options),
        ]
        self.apply(documents)
        wanted = {hook["name"] for document in documents for hook in document["webhooks"]}
        self._hooks[name] = wanted
        self.until(lambda: wanted <= self._probe_hooks(), f"calls of {sorted(wanted)}")

    def unregister_guard(self, name: str = "hybrid-guard") -> None:
        """Remove the hooks and return when kube-apiserver no longer calls them."""
        for kind in ("mutating", "validating"):
            self.kubectl("delete", f"{kind}webhookconfiguration", name, "--ignore-not-found")

        gone = self._hooks.pop(name)
        self.until(lambda: not gone & self._probe_hooks(), f"{name} to be forgotten")

    def _probe_hooks(self) -> set[str]:
        # Which hooks are called now: those whose count grows while the probes are sent.
        before = hooks.calls(self.metrics())
        for path, probe in hooks.PROBES:
            self.raw("POST", f"{path}?dryRun=All", probe)
        after = hooks.calls(self.metrics())
        return {name for name, count in after.items() if count > before.get(name, 0)}
