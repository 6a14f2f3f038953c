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
    assert plane.raw("GET", f"{DAEMONSETS}/hybrid-guard-probe").status == 404, "nothing is written"
    assert "data" not in plane.raw("GET", f"{NAMESPACE}/configmaps/hybrid-guard-probe").json()


def test_with_the_right_to_create_the_object_itself_is_looked_at(
    scene: tuple[ControlPlane, Server], policy: Path
) -> None:
    plane, _ = scene
    command = [sys.executable, "-m", "webhook", "probe", "--kubeconfig", str(plane.kubeconfig)]

    done = subprocess.run(
        [*command, "--policy", str(policy), "--wait", "30"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    add-on      HG101 kept off cloud nodes" in done.stdout
    assert plane.raw("GET", f"{DAEMONSETS}/hybrid-guard-probe").status == 404


APPLY, MERGE, JSON_PATCH = (
    f"application/{kind}" for kind in ("apply-patch+yaml", "merge-patch+json", "json-patch+json")
)
PRIVILEGED = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "hybrid-guard-probe", "namespace": "kube-system"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]},
        },
    },
}  # fmt: skip


TRIED = "hybrid-guard-probe"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TRIED}}
EDIT = {"metadata": {"labels": {"a": "b"}}}


@pytest.mark.parametrize(
    ("path", "obj", "patched"),
    [(f"{NAMESPACE}/configmaps", CONFIG_MAP, (200, 200)), (DAEMONSETS, PRIVILEGED, (403, 404))],
    ids=["configmaps", "daemonsets"],
)
def test_its_account_can_create_nothing_for_good(
    scene: tuple[ControlPlane, Server], path: str, obj: dict[str, Any], patched: tuple[int, int]
) -> None:
    plane, _ = scene

    def call(method: str, path: str, body: object = None, kind: str = "application/json") -> int:
        groups = ["system:authenticated"]
        return plane.raw(method, path, body, kind, user=ACCOUNT, groups=groups).status

    def there() -> set[str]:
        return {item["metadata"]["uid"] for item in plane.raw("GET", path).json()["items"]}

    before = there()
    for name, (applied, edited) in ((TRIED, patched), ("another", (403, 403))):
        named, forced = {**obj, "metadata": {"name": name}}, "fieldManager=x&force=true"
        assert call("POST", path, named) == 403
        assert call("POST", f"{path}?dryRun=All", named) == 403
        assert call("POST", path, {**obj, "metadata": {"generateName": name}}) == 403
        assert call("PUT", f"{path}/{name}", named) == 403
        assert call("PATCH", f"{path}/{name}?{forced}", named, APPLY) == applied
        assert call("PATCH", f"{path}/{name}", EDIT, MERGE) == edited
        assert call("PATCH", f"{path}/{name}", [], JSON_PATCH) == edited
        assert call("DELETE", f"{path}/{name}") == 403
    assert call("GET", path) == 403
    assert there() == before, "not one more"


def test_its_account_reaches_no_other_service(scene: tuple[ControlPlane, Server]) -> None:
    plane, _ = scene
    other = f"{NAMESPACE}/services/https:other:https/proxy/readyz"

    assert plane.raw("GET", other, user=ACCOUNT, groups=["system:authenticated"]).status == 403


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
