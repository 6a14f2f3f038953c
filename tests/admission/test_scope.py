from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.admission.writes import HOME, KEY, changed, judge, policy, workload
from tests.conftest import ROOT, unavailable
from webhook.admission import scope
from webhook.admission.review import Hook

EVERYWHERE = policy("rules: [{name: all, placement: on-prem}]\n")
SUB_RESOURCES = ["status", "scale", "binding", "ephemeralcontainers", "resize", "eviction"]
EVERY_KIND = [
    "DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "CronJob",
    "Job", "Pod", "CloneSet",
]  # fmt: skip
BOTH = list(Hook)


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("hook", BOTH)
@pytest.mark.parametrize("sub_resource", SUB_RESOURCES)
def test_no_subresource_is_ever_judged(kind: str, hook: Hook, sub_resource: str) -> None:
    answer = judge(hook, workload(kind), by=EVERYWHERE, subResource=sub_resource)

    assert (answer["verdict"], answer["allowed"]) == ("left-alone", True)


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("hook", BOTH)
def test_what_is_being_deleted_always_passes(kind: str, hook: Hook) -> None:
    old = changed(workload(kind), metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    new = changed(old, metadata={"finalizers": []})
    worse = {**new, "spec": {**new["spec"], "nodeSelector": {KEY: "true"}}}

    for obj in (new, worse):
        assert judge(hook, obj, old, by=EVERYWHERE)["verdict"] == "left-alone"


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("hook", BOTH)
def test_deletions_and_connections_are_allowed(kind: str, hook: Hook) -> None:
    obj = workload(kind)

    assert judge(hook, None, obj, by=EVERYWHERE)["verdict"] == "left-alone"
    assert judge(hook, obj, by=EVERYWHERE, operation="CONNECT")["verdict"] == "left-alone"


def test_a_pod_with_an_empty_node_name_is_not_bound() -> None:
    assert judge(Hook.MUTATE, workload("Pod", nodeName=""), by=EVERYWHERE)["verdict"] == "injected"


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("name", ["hybrid-guard", "hybrid-guard-certs"])
def test_our_own_objects_are_known_by_namespace_and_exact_name(kind: str, name: str) -> None:
    def verdict(obj: dict[str, Any]) -> str:
        found: str = judge(Hook.MUTATE, obj, by=EVERYWHERE)["verdict"]
        return found

    ours = workload(kind, "kube-system")
    ours["metadata"]["name"] = name
    assert verdict(ours) == "left-alone"
    assert verdict(changed(ours, metadata={"name": f"{name}-2"})) == "injected"
    assert verdict(changed(ours, metadata={"namespace": "default"})) == "injected"
    generated = {**ours, "metadata": {"generateName": name, "namespace": "kube-system"}}
    assert verdict(generated) == "injected", "it will be called something else"


def test_the_system_controllers_are_those_that_kubernetes_knows() -> None:
    if shutil.which("go") is None:
        unavailable("Go is missing: it fetches the source of Kubernetes")
    told = subprocess.run(
        ["go", "mod", "download", "-json", "k8s.io/kubernetes"],
        cwd=ROOT / "tests" / "cluster" / "controlplane" / "kubernetes",
        capture_output=True,
        text=True,
        check=True,
    )
    source = "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go"
    text = (Path(json.loads(told.stdout)["Dir"]) / source).read_text()
    named = re.findall(r'saRolePrefix \+ "([a-z-]+)"', text)

    assert {"deployment-controller", "daemon-set-controller"} < set(named)
    assert {
        "system:kube-controller-manager",
        *(f"system:serviceaccount:kube-system:{name}" for name in named),
    } == scope.SYSTEM_CONTROLLERS


@pytest.mark.parametrize(
    "user",
    ["system:apiserver", "system:kube-scheduler", "system:serviceaccount:tigera-operator:operator",
     "SYSTEM:KUBE-CONTROLLER-MANAGER", ""],
)  # fmt: skip
def test_nobody_else_counts_as_one(user: str) -> None:
    obj = workload()

    assert judge(Hook.MUTATE, obj, obj, by=policy(HOME), user=user)["verdict"] == "injected"


@pytest.mark.parametrize("hook", BOTH)
@pytest.mark.parametrize(
    "metadata",
    [{"name": 5}, {"name": [1]}, {"namespace": {}}, {"annotations": 1}, {"ownerReferences": {}},
     {"ownerReferences": [1]}, {"generateName": 1, "name": None}],
)  # fmt: skip
def test_metadata_of_a_wrong_type_fails_no_worker(hook: Hook, metadata: dict[str, Any]) -> None:
    for kind in ("DaemonSet", "Pod"):
        obj = changed(workload(kind, "kube-system"), metadata=metadata)
        request: dict[str, Any] = {"name": "calico-node", "namespace": "kube-system"}

        assert judge(hook, obj, by=EVERYWHERE, **request)["verdict"] in ("injected", "denied")
        assert judge(hook, obj, by=policy(""), **request)["verdict"] in (
            "injected", "left-alone", "denied",
        )  # fmt: skip
