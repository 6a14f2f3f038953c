"""The control plane itself, before anything of hybrid-guard's is tried on it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cluster.controlplane import nodes, programs
from tests.cluster.controlplane.client import TRIES
from tests.cluster.controlplane.nodes import CLOUD, CLOUD_LABEL, HYBRID, ON_PREM
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.processes import ControlPlaneError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace named after the test, gone after it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:63].strip("-")
    plane.kubectl("create", "namespace", name)
    yield name
    plane.kubectl("delete", "namespace", name, "--wait=false")


def daemon_set(namespace: str, operator: str) -> dict[str, Any]:
    """Return a DaemonSet that tolerates everything and asks for one side with `operator`."""
    labels = {"app": "probe"}
    expression = {"key": CLOUD_LABEL, "operator": operator, "values": ["true"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    spec = {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "probe", "image": "registry.example/probe:1"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def running_on(plane: ControlPlane, namespace: str) -> set[str]:
    pods = plane.get_json("pods", "-n", namespace)["items"]
    return {pod["spec"]["nodeName"] for pod in pods if pod["status"]["phase"] == "Running"}


def names_of(chosen: tuple[nodes.Node, ...]) -> set[str]:
    return {node.name for node in chosen}


def test_all_nodes_are_ready_and_say_what_machine_they_are(plane: ControlPlane) -> None:
    items = plane.get_json("nodes")["items"]
    seen = {
        item["metadata"]["name"]: (
            item["status"]["nodeInfo"]["operatingSystem"],
            item["status"]["nodeInfo"]["architecture"],
            item["metadata"]["labels"].get(CLOUD_LABEL),
        )
        for item in items
    }
    assert seen == {
        "onprem-control-plane": ("linux", "amd64", None),
        "onprem-linux": ("linux", "amd64", None),
        "onprem-arm": ("linux", "arm64", None),
        "onprem-windows": ("windows", "amd64", None),
        "cloud-linux": ("linux", "amd64", "true"),
        "cloud-arm": ("linux", "arm64", "true"),
        "cloud-windows": ("windows", "amd64", "true"),
    }


def test_each_node_renews_its_lease_so_that_it_stays_ready(plane: ControlPlane) -> None:
    def holders() -> set[str]:
        leases = plane.get_json("leases", "-n", "kube-node-lease")["items"]
        return {lease["metadata"]["name"] for lease in leases if lease["spec"]["renewTime"]}

    plane.until(lambda: holders() == names_of(HYBRID), "a lease of each node")


@pytest.mark.parametrize(
    ("operator", "expected"), [("NotIn", ON_PREM), ("In", CLOUD)], ids=["on-prem", "cloud"]
)
def test_a_daemon_set_lands_on_the_side_it_asks_for(
    plane: ControlPlane, namespace: str, operator: str, expected: tuple[nodes.Node, ...]
) -> None:
    plane.apply([daemon_set(namespace, operator)])
    names = names_of(expected)
    plane.until(lambda: len(running_on(plane, namespace)) >= len(names), "the pods")
    status = plane.get_json("daemonset", "probe", "-n", namespace)["status"]
    assert status["desiredNumberScheduled"] == len(names)
    assert running_on(plane, namespace) == names


def test_a_deployment_is_scheduled_and_reports_itself_available(
    plane: ControlPlane, namespace: str
) -> None:
    plane.kubectl("create", "deployment", "web", "--image=web", "--replicas=3", "-n", namespace)
    plane.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    # No toleration: the control plane node's taint keeps the pods away.
    assert running_on(plane, namespace) <= names_of(HYBRID) - {"onprem-control-plane"}


def test_a_deleted_pod_goes_when_its_last_finalizer_is_taken_off(
    plane: ControlPlane, namespace: str
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "held", "namespace": namespace, "finalizers": ["example.com/hold"]},
        "spec": {"containers": [{"name": "held", "image": "held"}]},
    }
    plane.apply([pod])
    plane.until(lambda: running_on(plane, namespace), "the pod")
    path = f"/api/v1/namespaces/{namespace}/pods/held"
    assert plane.raw("DELETE", path).json()["metadata"]["deletionTimestamp"]
    patch = {"metadata": {"finalizers": None}}
    plane.raw("PATCH", path, patch, "application/merge-patch+json")
    plane.until(lambda: plane.raw("GET", path).status == 404, "the pod to be gone")


def test_the_server_reports_the_version_it_was_built_from(plane: ControlPlane) -> None:
    version = plane.raw("GET", "/version").json()
    program = programs.require("kube-apiserver")["kube-apiserver"]
    if program.parent == programs.cache_folder():
        assert version["gitVersion"] == programs.kubernetes_version()
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"Kubernetes {version['gitVersion']}"
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


def test_a_user_has_the_rights_of_its_name_and_groups(plane: ControlPlane) -> None:
    account = "system:serviceaccount:kube-system:daemon-set-controller"
    groups = ["system:serviceaccounts", "system:authenticated"]
    who = plane.kubectl("auth", "whoami", "-o", "json", user=account, groups=groups)
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == account
    may = plane.raw("GET", "/apis/apps/v1/daemonsets", user=account, groups=groups)
    may_not = plane.raw("GET", "/api/v1/secrets", user=account, groups=groups)
    assert (may.status, may_not.status) == (200, 403)
    assert plane.kubectl("get", "pods", check=False, user="nobody").returncode == 1


def test_controllers_write_as_their_own_accounts(plane: ControlPlane, namespace: str) -> None:
    plane.apply([daemon_set(namespace, "In")])
    plane.until(lambda: running_on(plane, namespace), "a pod")
    creators = {
        event["user"]["username"]
        for event in plane.audit_events()
        if event["verb"] == "create"
        and event["objectRef"].get("namespace") == namespace
        and event["objectRef"]["resource"] == "pods"
        and "subresource" not in event["objectRef"]
    }
    assert creators == {"system:serviceaccount:kube-system:daemon-set-controller"}


@pytest.mark.parametrize(("quicker", "status"), [(3, 200), (TRIES, 409)], ids=["in time", "never"])
def test_an_update_is_tried_again_while_others_are_quicker_but_not_for_ever(
    api_server: ControlPlane, quicker: int, status: int
) -> None:
    path, left = "/api/v1/namespaces/default/configmaps/contended", [quicker]
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "contended"}}
    assert api_server.raw("POST", path.rpartition("/")[0], obj).status == 201

    def change(found: dict[str, Any]) -> None:
        if left[0]:
            left[0] -= 1
            theirs = {"data": {f"theirs-{left[0]}": "kept"}}
            api_server.raw("PATCH", path, theirs, "application/merge-patch+json")
        found.setdefault("data", {})["ours"] = "written"

    answer = api_server.update(path, change)
    stored = api_server.raw("GET", path).json()["data"]
    assert api_server.raw("DELETE", path).status == 200

    assert (answer.status, left) == (status, [0])
    assert stored.pop("ours", None) == ("written" if status == 200 else None)
    assert len(stored) == quicker, "what the others wrote is kept"
    assert api_server.update(path, change).status == 404


class Refusing(BaseHTTPRequestHandler):
    """A webhook that warns of every object and refuses those with the label `refuse`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        labels = ((request.get("object") or {}).get("metadata") or {}).get("labels") or {}
        answer = {"uid": request["uid"], "allowed": "refuse" not in labels}
        answer |= {
            "warnings": [f'seen at "{urlsplit(self.path).path}"'],
            "status": {"code": 403, "message": "refused"},
        }
        body = json.dumps(review | {"request": None, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook(api_server: ControlPlane) -> Iterator[str]:
    pair = api_server.authority.issue("webhook", hosts=["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.write(api_server.folder, "webhook"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_registered_hooks_are_called_and_forgotten_again(
    api_server: ControlPlane, webhook: str
) -> None:
    path = "/apis/apps/v1/namespaces/default/daemonsets"
    refused = daemon_set("default", "In")
    refused["metadata"]["labels"] = {"refuse": "yes"}
    api_server.register_guard(webhook, api_server.authority.pem, failure_policy="Fail")
    answer = api_server.raw("POST", path, refused)
    assert answer.status == 403
    assert answer.warnings == ('seen at "/mutate"',)
    fine = api_server.raw("POST", f"{path}?dryRun=All", daemon_set("default", "In"))
    assert (fine.status, fine.warnings) == (201, ('seen at "/mutate"', 'seen at "/validate"'))
    api_server.unregister_guard()
    after = api_server.raw("POST", f"{path}?dryRun=All", refused)
    assert (after.status, after.warnings) == (201, ())


def test_other_config_maps_are_deleted_while_the_guard_is_down(api_server: ControlPlane) -> None:
    # Port 1 refuses at once. Only eni-config may be held up by a dead guard.
    api_server.register_guard("https://127.0.0.1:1", api_server.authority.pem)
    path = "/api/v1/namespaces/kube-system/configmaps"
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    eni_config = {**other, "metadata": {"name": "eni-config"}}
    assert api_server.raw("POST", path, other).status == 201
    assert api_server.raw("DELETE", f"{path}/other").status == 200
    assert api_server.raw("POST", path, eni_config).status == 500
    api_server.unregister_guard()


def test_two_planes_run_side_by_side_and_leave_nothing(plane: ControlPlane) -> None:
    with ControlPlane(controllers=False, scheduler=False, kwok=False) as second:
        groups = [child.process.pid for child in second.running]
        assert second.server != plane.server
        second.kubectl("create", "namespace", "only-here")
        assert plane.raw("GET", "/api/v1/namespaces/only-here").status == 404
        with pytest.raises(ssl.SSLError):
            # Another authority: the first plane's certificates are worth nothing here.
            plane.client().context.wrap_socket(
                socket.create_connection(("127.0.0.1", second.client().port)),
                server_hostname="127.0.0.1",
            )
    assert not second.folder.exists()
    for group in groups:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


@pytest.mark.usefixtures("control_plane_programs")
def test_a_plane_that_cannot_start_says_why_and_leaves_nothing() -> None:
    broken = ControlPlane(controllers=False, apiserver_flags=["--no-such-flag"])
    with pytest.raises(ControlPlaneError, match="unknown flag: --no-such-flag"), broken:
        pytest.fail("it started")
    assert broken.running == []
    assert not broken.folder.exists()


@pytest.mark.usefixtures("control_plane_programs")
def test_the_programs_go_with_the_process_that_started_them() -> None:
    script = (
        "import os, sys\n"
        "from tests.cluster.controlplane.plane import ControlPlane\n"
        "with ControlPlane(controllers=False, scheduler=False, kwok=False) as plane:\n"
        "    print(*(child.process.pid for child in plane.running), plane.folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        *groups, folder = starter.stdout.readline().split()
        starter.kill()
        starter.wait()
    shutil.rmtree(folder)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{group}/exe").exists() for group in groups):
        assert time.monotonic() < deadline, "a program outlived its starter"
