"""A live cluster is audited: the same findings as in its manifests, with few rights, to the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_audit import interrupted
from tests.cluster import many
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from tests.eni.samples import conf

POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {names: ["*99"]}, placement: on-prem}
"""
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
AUDITOR = ROOT / "examples" / "auditor.yaml"
WORKLOADS = (
    "daemonsets,deployments,statefulsets,cronjobs,jobs,replicationcontrollers,replicasets,pods"
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return file


def audit(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "webhook", "audit", *map(str, arguments)],
        cwd=ROOT, input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip


def live(
    policy: Path, kubeconfig: Path, *more: str
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    done = audit(
        "--cluster", "--kubeconfig", kubeconfig, "--policy", policy, "--format", "json", *more
    )
    return json.loads(done.stdout), done


def told(document: dict[str, Any], prefix: str) -> tuple[list[Any], list[Any]]:
    """Findings and workloads of some namespaces, without their places."""

    def is_ours(entry: dict[str, Any]) -> bool:
        return (entry["object"]["namespace"] or "").startswith(prefix)

    rows = [{**row, "location": None} for row in document["workloads"] if is_ours(row)]
    findings = [
        {**one, "location": one["location"]["pointer"]}
        for one in document["findings"]
        if is_ours(one)
    ]
    return sorted(rows, key=str), sorted(findings, key=str)


def put(plane: ControlPlane, data: dict[str, Any], name: str = "eni-config") -> None:
    """Create a ConfigMap as no kubectl would: without a copy of itself in an annotation."""
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    assert plane.raw("POST", CONFIG_MAPS, obj).status == 201


def remove(plane: ControlPlane, *names: str) -> None:
    for name in names:
        assert plane.raw("DELETE", f"{CONFIG_MAPS}/{name}").status == 200


def test_a_cluster_tells_what_its_manifests_tell(api_server: ControlPlane, policy: Path) -> None:
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"same-{n}"}}
        for n in range(3)
    ]
    namespaces[1]["metadata"]["labels"] = {"hybrid-guard.io/placement": "cloud"}  # type: ignore[index]
    many.create(api_server, namespaces)
    many.create(api_server, (many.deployment(f"web-{n}", f"same-{n % 3}") for n in range(1200)))

    document, done = live(policy, api_server.kubeconfig)
    dumped = api_server.kubectl("get", f"{WORKLOADS},namespaces", "-A", "-o", "json").stdout
    piped = json.loads(audit("--policy", policy, "--format", "json", stdin=dumped).stdout)

    rows, findings = told(document, "same-")
    assert (len(rows), done.returncode, done.stderr) == (1200, 1, "")
    assert sum(row["placement"] == "cloud" for row in rows) == 396
    assert [one["rule"] for one in findings] == ["HG101"] * 12 + ["HG102"] * 396
    assert (rows, findings) == told(piped, "same-")
    nowhere = {"file": None, "line": None, "column": None, "embedded": None}
    assert all(one["location"].items() >= nowhere.items() for one in document["findings"])


def test_what_controllers_make_is_not_repeated(plane: ControlPlane, policy: Path) -> None:
    plane.kubectl("create", "namespace", "made")
    template = many.deployment("home-99", "made")
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits-99", "namespace": "made"},
           "spec": {"containers": [{"name": "c", "image": "x"}], "nodeSelector": {"no": "node"}}}  # fmt: skip
    bound: dict[str, Any] = {
        **pod,
        "metadata": {"name": "bound-99", "namespace": "made"},
        "spec": {"containers": pod["spec"]["containers"], "nodeName": "onprem-1"},
    }
    bare = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "bare-99", "namespace": "made"},
            "spec": {**template["spec"], "selector": {"matchLabels": {"app": "bare"}}, "template": {"metadata": {"labels": {"app": "bare"}}, "spec": template["spec"]["template"]["spec"]}}}  # fmt: skip
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "cron-99", "namespace": "made"},
            "spec": {"schedule": "* * * * *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}}}}}  # fmt: skip
    plane.apply([template, pod, bound, bare, cron])
    plane.kubectl("create", "job", "--from=cronjob/cron-99", "once-99", "-n", "made")

    def settled() -> bool:
        pods = plane.get_json("pods", "-n", "made")["items"]
        return len(pods) >= 9 and any(pod["metadata"]["name"].startswith("once-99") for pod in pods)

    plane.until(settled, "the controllers to make their pods")
    document, _ = live(policy, plane.kubeconfig)
    rows, findings = told(document, "made")

    assert sorted(f"{row['object']['kind']}/{row['object']['name']}" for row in rows) == [
        "CronJob/cron-99", "Deployment/home-99", "Pod/waits-99", "ReplicaSet/bare-99",
    ]  # fmt: skip
    assert [finding["rule"] for finding in findings] == ["HG101"] * 4
    plane.kubectl("delete", "namespace", "made", "--wait=false")


def test_the_auditors_rights_are_enough_and_no_secret_is_read(
    plane: ControlPlane, policy: Path
) -> None:
    plane.kubectl("apply", "-f", str(AUDITOR))
    plane.apply(
        [
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": f"{kind}Binding",
             "metadata": {"name": "auditor", "namespace": "kube-system"} if kind == "Role" else {"name": "auditor"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "hybrid-guard-auditor"},
             "subjects": [{"kind": "User", "name": "auditor"}]}
            for kind in ("ClusterRole", "Role")
        ]
    )  # fmt: skip
    put(plane, conf(ip_stack="ipv6"))

    document, done = live(policy, plane.client("auditor").kubeconfig)
    calls = [event for event in plane.audit_events() if event["user"]["username"] == "auditor"]

    assert (done.returncode, done.stderr) == (1, "")
    assert "ENI060" in {finding["rule"] for finding in document["findings"]}
    assert {event["verb"] for event in calls} <= {"get", "list"}
    assert "secrets" not in {event["objectRef"]["resource"] for event in calls}
    assert {event["responseStatus"]["code"] for event in calls} <= {200, 404}
    remove(plane, "eni-config")


def test_a_user_who_may_list_deployments_alone_hears_what_is_missing(
    api_server: ControlPlane, policy: Path
) -> None:
    plane = api_server
    plane.kubectl(
        "create", "clusterrole", "only-deployments", "--verb=list", "--resource=deployments.apps"
    )
    plane.kubectl(
        "create",
        "clusterrolebinding",
        "only-deployments",
        "--clusterrole=only-deployments",
        "--user=half",
    )
    many.create(plane, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "half"}}])
    many.create(plane, [many.deployment("web-99", "half")])

    document, done = live(policy, plane.client("half").kubeconfig)

    assert done.returncode == 1
    assert [one["rule"] for one in told(document, "half")[1]] == ["HG101"]
    assert document["summary"]["complete"] is True
    notes = done.stderr.splitlines()
    for resource in (
        *WORKLOADS.split(","),
        "namespaces",
        "configmaps",
        "nodes",
        "customresourcedefinitions",
    ):
        said = f"note: {resource} were not looked at: the API server refuses: 403 Forbidden"
        assert (said in notes) == (resource != "deployments"), done.stderr


def test_who_may_look_at_nothing_and_where_nobody_answers_it_exits_with_3(
    api_server: ControlPlane, policy: Path, tmp_path: Path
) -> None:
    document, nobody = live(policy, api_server.client("nobody").kubeconfig)
    config = yaml.safe_load(api_server.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "dead").write_text(yaml.safe_dump(config))
    empty, dead = live(policy, tmp_path / "dead")
    missing = audit("--cluster", "--kubeconfig", tmp_path / "none", "--policy", policy)

    assert (nobody.returncode, dead.returncode, missing.returncode) == (3, 3, 3)
    assert "cannot look at the cluster: the API server refuses: 403 Forbidden" in nobody.stderr
    assert "cannot look at the cluster: the API server does not answer" in dead.stderr
    assert "cannot look at the cluster: no usable kubeconfig" in missing.stderr
    assert document["summary"]["complete"] is empty["summary"]["complete"] is False
    assert document["workloads"] == empty["workloads"] == []


def test_eni_config_alone_may_be_readable(api_server: ControlPlane, policy: Path) -> None:
    plane = api_server
    plane.kubectl(
        "create",
        "role",
        "one-map",
        "-n",
        "kube-system",
        "--verb=get",
        "--resource=configmaps",
        "--resource-name=eni-config",
    )
    plane.kubectl(
        "create", "rolebinding", "one-map", "-n", "kube-system", "--role=one-map", "--user=reader"
    )
    put(plane, conf(ip_stack="ipv6"))

    document, done = live(policy, plane.client("reader").kubeconfig)

    assert (done.returncode, [one["rule"] for one in document["findings"]]) == (1, ["ENI060"])
    remove(plane, "eni-config")


def test_overrides_are_judged_as_the_nodes_of_the_cluster_get_them(
    api_server: ControlPlane, policy: Path
) -> None:
    plane = api_server
    put(plane, conf())
    put(
        plane,
        {"eni_conf": json.dumps({"security_groups": [f"sg-{n}" for n in range(10)]})},
        "pool-a",
    )
    for name, override in (("cloud-1", "pool-a"), ("cloud-2", "pool-b"), ("cloud-3", "pool-b")):
        node = {"kind": "Node", "metadata": {"name": name, "labels": {"terway-config": override}}}
        assert plane.raw("POST", "/api/v1/nodes", {"apiVersion": "v1", **node}).status == 201

    document, done = live(policy, plane.kubeconfig, "--merged")
    alone, _ = live(policy, plane.kubeconfig)

    found = {
        one["rule"]: one["message"] for one in document["findings"] if one["rule"].startswith("ENI")
    }
    assert (set(found), done.returncode) == ({"ENI047", "ENI133", "ENI134"}, 1)
    assert "as merged with eni-config: ENI047" in found["ENI133"]
    assert "2 nodes are labelled terway-config=pool-b" in found["ENI134"]
    assert {one["rule"] for one in alone["findings"] if one["rule"].startswith("ENI")} == {"ENI047"}
    remove(plane, "eni-config", "pool-a")


def test_volumes_of_the_cluster_bind_its_workloads(api_server: ControlPlane, policy: Path) -> None:
    plane = api_server
    many.create(plane, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bound"}}])
    plane.raw(
        "POST",
        "/api/v1/nodes",
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": "far",
                "labels": {"kubernetes.io/hostname": "far", "alibabacloud.com/external": "true"},
            },
        },
    )
    host = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["far"]}
    size = {"storage": "1Gi"}
    web = many.deployment("db-99", "bound")
    web["spec"]["template"]["spec"]["volumes"] = [
        {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}
    ]
    plane.apply(
        [
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "far-disk"},
             "spec": {"capacity": size, "accessModes": ["ReadWriteOnce"], "local": {"path": "/d"}, "storageClassName": "",
                      "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [host]}]}}}},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "bound"},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": size}, "volumeName": "far-disk", "storageClassName": ""}},
            web,
        ]
    )  # fmt: skip

    document, _ = live(policy, plane.kubeconfig)

    assert [one["rule"] for one in told(document, "bound")[1]] == ["HG101", "HG106"]
    assert any("which admits node far alone" in one["message"] for one in document["findings"])


def test_an_interrupted_look_at_a_cluster_gives_what_it_found(
    api_server: ControlPlane, policy: Path
) -> None:
    plane = api_server
    many.create(plane, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stop"}}])
    many.create(plane, (many.deployment(f"web-{n}", "stop") for n in range(800)))

    status, document, said = interrupted(
        "--cluster", "--kubeconfig", plane.kubeconfig, "--policy", policy
    )

    assert status == 130
    assert 0 < len(document["workloads"]) < 800
    assert document["summary"]["complete"] is False
    assert "interrupted: the report holds what was found up to there" in said
