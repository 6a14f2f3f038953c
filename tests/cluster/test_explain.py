"""`explain KIND/NAMESPACE/NAME` against a real API server: field managers, owners, what restarts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from tests.serving import Server

Object = dict[str, Any]
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules: [{name: home, match: {namespaces: [explained]}, placement: on-prem}]
"""
NAME = "DaemonSet/calico-system/calico-node"
REQUIRED = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}


def daemonset(namespace: str, name: str, *terms: Object, **metadata: Any) -> Object:
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}
        }
    }
    spec = {"containers": [{"name": "x", "image": "x"}], "tolerations": [{"operator": "Exists"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {**spec, "affinity": affinity} if terms else spec,
            },
        },
    }  # fmt: skip


def namespace(plane: ControlPlane, name: str, **labels: str) -> None:
    plane.apply(
        [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}]
    )


def explain(kubeconfig: Path, *arguments: str | Path) -> tuple[int, Object, str]:
    done = subprocess.run(
        [sys.executable, "-m", "webhook", "explain", "-o", "json", "--kubeconfig", str(kubeconfig), *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def one(plane: ControlPlane, name: str = NAME, *arguments: str | Path) -> Object:
    _, document, told = explain(plane.kubeconfig, *(arguments or ("--network", "bgp")), name)
    assert told == ""
    found: Object = document["workloads"][0]
    return found


@pytest.fixture
def calico(api_server: ControlPlane) -> Iterator[ControlPlane]:
    namespace(api_server, "calico-system")
    yield api_server
    api_server.kubectl("delete", "daemonset", "-n", "calico-system", "--all")


def test_terms_that_kubectl_applies_belong_to_it(calico: ControlPlane) -> None:
    calico.apply([daemonset("calico-system", "calico-node", {"matchExpressions": [LINUX]})])
    client = one(calico)
    calico.kubectl("delete", "daemonset", "-n", "calico-system", "calico-node")
    calico.apply(
        [daemonset("calico-system", "calico-node", {"matchExpressions": [LINUX]})],
        "--server-side", "--field-manager=argocd-controller",
    )  # fmt: skip
    server = one(calico)

    assert [(w["manager"], w["operation"], w["fields"]) for w in client["writers"]] == [
        ("kubectl-client-side-apply", "Update", [REQUIRED])
    ]
    assert [(w["manager"], w["operation"], w["fields"]) for w in server["writers"]] == [
        ("argocd-controller", "Apply", [REQUIRED])
    ]
    assert [owner["name"] for owner in client["owners"]] == ["kubectl apply"]
    assert [owner["name"] for owner in server["owners"]] == ["Argo CD"]
    assert "  name: calico-node" in server["owners"][0]["knob"]
    assert server["patch"]
    assert any("admission adds this at the next write" in note for note in server["notes"])


def test_an_operators_object_names_the_operators_field(calico: ControlPlane) -> None:
    owner = {
        "apiVersion": "operator.tigera.io/v1", "kind": "Installation", "name": "default",
        "uid": "0b5d1c1e-0000-4000-8000-000000000000", "controller": True,
    }  # fmt: skip
    obj = daemonset("calico-system", "calico-node", ownerReferences=[owner])
    path = "/apis/apps/v1/namespaces/calico-system/daemonsets"
    assert calico.raw("POST", path, obj).status == 201
    found = one(calico)

    assert [owner["name"] for owner in found["owners"]] == ["tigera-operator"]
    assert '"calicoNodeDaemonSet"' in "".join(found["owners"][0]["knob"])
    assert found["writers"] == []
    assert found["location"] == {"file": None, "line": None}


def test_what_is_added_restarts_pods_on_as_many_nodes_as_there_are(
    plane: ControlPlane, tmp_path: Path
) -> None:
    namespace(plane, "explained")
    plane.apply([daemonset("explained", "agent")])
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    path = "/apis/apps/v1/namespaces/explained/daemonsets/agent"
    nodes = len(plane.raw("GET", "/api/v1/nodes").json()["items"])
    plane.until(
        lambda: plane.raw("GET", path).json()["status"]["desiredNumberScheduled"] == nodes, "status"
    )
    found = one(plane, "DaemonSet/explained/agent", "--policy", policy)
    pods = plane.get_json("pods", "-n", "explained")["items"]
    pod = one(plane, f"Pod/explained/{pods[0]['metadata']['name']}", "--policy", policy)

    assert found["rollout"] == (
        f"changes the pod template: restarts agent on {nodes} nodes, RollingUpdate, maxUnavailable 1"
    )
    assert pod["patch"] is None
    assert (
        pod["unchangedBecause"] == "DaemonSet/agent made it: admission judges that one's template"
    )


def test_what_admission_adds_belongs_to_nobody(plane: ControlPlane, tmp_path: Path) -> None:
    namespace(plane, "explained")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    with Server("--policy", str(policy)) as server:
        plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        plane.apply([daemonset("explained", "pinned")])
        plane.unregister_guard()
    found = one(plane, "DaemonSet/explained/pinned", "--policy", policy)

    assert (found["sides"], found["patch"]) == ("on-prem", None)
    assert found["unchangedBecause"] == "it is right already"
    assert found["writers"] == []


def test_a_namespace_says_what_its_workloads_are(calico: ControlPlane) -> None:
    namespace(calico, "cloudy", **{"hybrid-guard.io/placement": "cloud"})
    calico.apply([daemonset("cloudy", "agent")])
    calico.kubectl("create", "clusterrole", "sets-only", "--verb=get", "--resource=daemonsets.apps")
    calico.kubectl(
        "create", "clusterrolebinding", "sets-only", "--clusterrole=sets-only", "--user=sets"
    )

    found = one(calico, "DaemonSet/cloudy/agent")
    _, document, told = explain(
        calico.client("sets").kubeconfig, "--network", "bgp", "DaemonSet/cloudy/agent"
    )

    assert (found["placement"], found["rule"]) == ("cloud", "namespace")
    assert document["workloads"][0]["placement"] == "any"
    assert "note: namespace cloudy: the API server refuses: 403" in told
    assert "--namespace-label" in told


def test_what_is_not_there_and_who_may_not_look(calico: ControlPlane) -> None:
    missing = explain(calico.kubeconfig, "--network", "bgp", "DaemonSet/calico-system/nothing")
    nobody = explain(calico.client("nobody").kubeconfig, "--network", "bgp", NAME)

    assert (missing[0], nobody[0]) == (3, 3)
    assert "DaemonSet/calico-system/nothing is not there" in missing[2]
    assert "the API server refuses: 403" in nobody[2]


def test_eni_config_is_explained_by_its_findings(calico: ControlPlane) -> None:
    data = {"eni_conf": "{}", "10-terway.conf": "{}"}
    metadata = {"name": "eni-config", "namespace": "kube-system"}
    calico.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}])
    status, document, _ = explain(
        calico.kubeconfig, "--network", "bgp", "ConfigMap/kube-system/eni-config"
    )
    calico.kubectl("delete", "configmap", "-n", "kube-system", "eni-config")

    assert status == 1
    assert document["workloads"] == []
    assert "ENI020" in {finding["rule"] for finding in document["findings"]}
