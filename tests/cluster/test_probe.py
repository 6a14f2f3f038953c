"""`hybrid-guard probe` with the rights that `helm test` gives it, against what the chart renders.

The API server calls a real server through the chart's Service: both are in a network of their own,
since an endpoint may not be on loopback.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import netns
from tests.cluster.chart import hook_objects, objects, one
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from tests.serving import Server

ACCOUNT = "system:serviceaccount:kube-system:hybrid-guard-test"
NAMESPACE = "/api/v1/namespaces/kube-system"
DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
NAME = "hybrid-guard-1"
POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "namespace": "kube-system"},
    "spec": {"containers": [{"name": "server", "image": "i"}]},
}  # fmt: skip
"""What the server would run as: the API server's proxy goes to pods alone."""
KINDS = ("Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(one("bgp", "ConfigMap", "hybrid-guard-policy")["data"]["policy.yaml"])
    return file


@pytest.fixture(scope="module")
def scene(policy: Path) -> Iterator[tuple[ControlPlane, Server]]:
    """The chart's hooks, Service and test account, and a server behind them."""
    require_programs()
    with (
        netns.isolated() as address,
        Server("--policy", str(policy), "--host", address, hosts=("hybrid-guard.kube-system.svc",)) as server,
        ControlPlane(
            controllers=False, scheduler=False, kwok=False,
            apiserver_flags=["--enable-aggregator-routing=true"],  # endpoints, as nobody plays kube-proxy
        ) as plane,
    ):  # fmt: skip
        plane.apply([*installed(server.authority.pem), endpoints(server), POD])
        address_of = {"status": {"podIPs": [{"ip": address}], "podIP": address}}
        path, kind = f"{NAMESPACE}/pods/{NAME}/status", "application/merge-patch+json"
        assert plane.raw("PATCH", path, address_of, kind).status == 200
        plane.apply([obj for obj in hook_objects("bgp") if obj["kind"] != "Pod"])
        yield plane, server


def installed(ca_pem: bytes) -> list[dict[str, Any]]:
    """Return what the chart renders of these kinds, with the CA that a rotator would put in."""
    found = [obj for obj in objects("bgp") if obj["kind"] in KINDS]
    for obj in found:
        for hook in obj.get("webhooks", ()):
            hook["clientConfig"]["caBundle"] = base64.b64encode(ca_pem).decode()
    return found


def endpoints(server: Server) -> dict[str, Any]:
    """Return what the endpoint slice controller would write once the server is ready."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": NAME,
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "hybrid-guard"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": server.port, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [server.host],
                "conditions": {"ready": True},
                "targetRef": {"kind": "Pod", "name": NAME, "namespace": "kube-system"},
            }
        ],
    }


def probe(
    plane: ControlPlane, *arguments: str, user: str = ACCOUNT
) -> subprocess.CompletedProcess[str]:
    kubeconfig = plane.client(user, ("system:authenticated",)).kubeconfig
    command = [sys.executable, "-m", "webhook", "probe", "--kubeconfig", str(kubeconfig)]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def rules(done: subprocess.CompletedProcess[str]) -> dict[str, str | None]:
    return {check["name"]: check["rule"] for check in json.loads(done.stdout)["checks"]}


def test_it_is_in_force(scene: tuple[ControlPlane, Server], policy: Path) -> None:
    plane, _ = scene

    done = probe(plane, "--policy", str(policy), "--wait", "30")

    assert done.returncode == 0, done.stdout + done.stderr
    ready, eni, add_on = done.stdout.splitlines()
    assert ready == "ok    ready       a server behind the Service is ready"
    assert eni.startswith("ok    eni-config  a broken one is refused: ENI0")
    assert add_on.startswith("ok    add-on      HG101 kept off cloud nodes")
    for path in (f"{NAMESPACE}/configmaps", DAEMONSETS):
        names = [item["metadata"]["name"] for item in plane.raw("GET", path).json()["items"]]
        assert "hybrid-guard-probe" not in names, "nothing is written"


def test_its_account_may_only_try(scene: tuple[ControlPlane, Server]) -> None:
    plane, _ = scene
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}

    def call(method: str, path: str, body: object = None) -> Answer:
        return plane.raw(method, path, body, user=ACCOUNT, groups=["system:authenticated"])

    def in_force() -> bool:
        plane.raw("DELETE", f"{NAMESPACE}/configmaps/mine")
        return call("POST", f"{NAMESPACE}/configmaps", config_map).status != 201

    plane.until(in_force, "the policy that holds the account to dry runs")
    refused = call("POST", f"{NAMESPACE}/configmaps", config_map)
    assert refused.status == 422
    assert "this account may only try" in refused.json()["message"]
    assert call("POST", f"{NAMESPACE}/configmaps?dryRun=All", config_map).status == 201
    assert call("GET", f"{NAMESPACE}/configmaps").status == 403
    assert (
        call("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", config_map).status == 403
    )
    assert call("GET", f"{NAMESPACE}/services/https:other:https/proxy/readyz").status == 403
    assert plane.raw("POST", f"{NAMESPACE}/configmaps", config_map).status == 201, "others may"
    plane.raw("DELETE", f"{NAMESPACE}/configmaps/mine")


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        ("validatingwebhookconfiguration", {"ready": None, "eni-config": "HG302", "add-on": None}),
        ("mutatingwebhookconfiguration", {"ready": None, "eni-config": None, "add-on": "HG303"}),
    ],
)
def test_a_hook_that_is_missing_is_found(
    scene: tuple[ControlPlane, Server], policy: Path, removed: str, expected: dict[str, str | None]
) -> None:
    plane, server = scene
    plane.kubectl("delete", removed, "hybrid-guard")

    def look() -> subprocess.CompletedProcess[str]:
        return probe(plane, "--policy", str(policy), "-o", "json")

    plane.until(lambda: rules(look()) == expected, "the API server to forget the hooks")
    done = look()
    plane.apply(installed(server.authority.pem))

    assert done.returncode == 1
    assert json.loads(done.stdout)["passed"] is False
    failed = next(check for check in json.loads(done.stdout)["checks"] if not check["passed"])
    assert "kubectl get validatingwebhookconfigurations" in failed["fix"]
    again = probe(plane, "--policy", str(policy), "--wait", "30")
    assert again.returncode == 0, "put back"


def test_a_server_that_is_away_fails_everything(
    scene: tuple[ControlPlane, Server], policy: Path
) -> None:
    plane, server = scene
    gone = endpoints(server)
    gone["endpoints"] = []
    plane.apply([gone])

    def look() -> subprocess.CompletedProcess[str]:
        return probe(plane, "--policy", str(policy))

    plane.until(lambda: "HG301" in look().stdout, "the API server to forget the endpoint")
    done = look()
    plane.apply([endpoints(server)])

    assert done.returncode == 1
    assert "HG301 no server behind the Service is ready: no endpoints available" in done.stdout
    assert "HG302 the API server refuses it without asking hybrid-guard" in done.stdout
    assert "break-glass/kubectl/delete/validatingwebhookconfiguration/hybrid-guard" in done.stdout
    assert "HG303 an add-on gets in as it is (calico, bgp network)" in done.stdout
    again = probe(plane, "--policy", str(policy), "--wait", "30")
    assert again.returncode == 0, again.stdout
    assert "ok    ready" in again.stdout


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("network: overlay", "ok    add-on      HG102 kept off on-prem nodes"),
        ("network: bgp\ndefaults: {action: warn}", "FAIL  add-on      HG303 hybrid-guard is asked"),
        ("network: bgp\ncatalogue: false", "ok    add-on      not tried: policy asks nothing"),
    ],
)
def test_it_asks_for_what_the_policy_says(
    scene: tuple[ControlPlane, Server], tmp_path: Path, document: str, expected: str
) -> None:
    plane, _ = scene
    file = tmp_path / "policy.yaml"
    file.write_text(f"apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\n{document}\n")

    assert expected in probe(plane, "--policy", str(file)).stdout


def test_who_may_not_try_is_told_so(scene: tuple[ControlPlane, Server], policy: Path) -> None:
    plane, _ = scene

    done = probe(plane, "--policy", str(policy), user="nobody")

    assert (done.returncode, done.stdout) == (3, "")
    assert "may not get services/proxy, which a dry run needs too" in done.stderr
    assert "Traceback" not in done.stderr
