"""Who made an object, as admission believes it: by pairs, and by who writes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admission.writes import PINNED, changed, judge, policy, required, workload
from webhook.admission.review import Hook

BY = policy("rules: [{name: all, placement: on-prem}]\n")
CONTROLLER = "system:kube-controller-manager"
BUILT_IN = [
    ("ReplicaSet", "apps/v1 Deployment"),
    ("ReplicaSet", "apps/v1beta9 Deployment"),
    ("ReplicaSet", "extensions/v1beta1 Deployment"),
    ("Pod", "apps/v1 ReplicaSet"),
    ("Pod", "v1 ReplicationController"),
    ("Pod", "apps/v1 DaemonSet"),
    ("Pod", "apps/v1 StatefulSet"),
    ("Pod", "batch/v1 Job"),
]
FOREIGN = [
    ("ReplicaSet", "argoproj.io/v1alpha1 Rollout"),
    ("ReplicaSet", "argoproj.io/v2 Rollout"),
    ("ReplicaSet", "apps.kruise.io/v1alpha1 CloneSet"),
    ("ReplicationController", "apps.openshift.io/v1 DeploymentConfig"),
    ("Pod", "apps.kruise.io/v1alpha1 CloneSet"),
    ("Pod", "apps.kruise.io/v1beta1 StatefulSet"),
    ("Pod", "apps.kruise.io/v1alpha1 DaemonSet"),
    ("Pod", "apps.kruise.io/v1alpha1 BroadcastJob"),
]
NO_PAIR = [
    ("ReplicaSet", "apps/v1 DaemonSet"),
    ("ReplicaSet", "example.com/v1 Deployment"),
    ("ReplicaSet", "v1 Deployment"),
    ("ReplicaSet", "apps/v1 deployment"),
    ("ReplicaSet", "apps.openshift.io/v1 DeploymentConfig"),
    ("ReplicaSet", "v1 ConfigMap"),
    ("ReplicationController", "apps/v1 Deployment"),
    ("ReplicationController", "apps.kruise.io/v1alpha1 CloneSet"),
    ("ReplicationController", "apps/v1 ReplicaSet"),
]


def reference(by: str, **fields: Any) -> dict[str, Any]:
    api_version, _, kind = by.rpartition(" ")
    named = {"apiVersion": api_version, "kind": kind, "name": "x", "uid": "u-1"}
    return {**named, "controller": True, **fields}


def owned(kind: str, *by: str, **pod_spec: Any) -> dict[str, Any]:
    return claiming(workload(kind, **pod_spec), [reference(one) for one in by])


def claiming(obj: dict[str, Any], references: Any) -> dict[str, Any]:
    return changed(obj, metadata={"ownerReferences": references})


def both(obj: dict[str, Any], old: dict[str, Any] | None = None, **options: Any) -> tuple[str, str]:
    """The verdicts of the mutating and of the validating hook."""
    mutating, validating = (judge(hook, obj, old, by=BY, **options)["verdict"] for hook in Hook)
    return mutating, validating


@pytest.mark.parametrize(("kind", "by"), BUILT_IN)
def test_a_built_in_owner_counts_where_a_built_in_controller_writes(kind: str, by: str) -> None:
    obj = owned(kind, by)

    assert both(obj, user=CONTROLLER) == ("left-alone", "left-alone")
    assert both(obj) == ("injected", "denied")
    assert both(obj, user="system:serviceaccount:home:deployment-controller")[0] == "injected"


@pytest.mark.parametrize(("kind", "by"), FOREIGN)
def test_a_foreign_owner_counts_whoever_writes(kind: str, by: str) -> None:
    for user in ("somebody", "system:serviceaccount:argo:rollouts", CONTROLLER):
        assert both(owned(kind, by), user=user) == ("left-alone", "left-alone")


@pytest.mark.parametrize(("kind", "by"), NO_PAIR)
def test_what_no_controller_makes_in_a_pair_is_judged_and_never_injected(
    kind: str, by: str
) -> None:
    for user in ("somebody", CONTROLLER):
        assert both(owned(kind, by), user=user) == ("warned", "denied")
    pinned = owned(kind, by, affinity=required([PINNED]))
    assert both(pinned) == ("unchanged", "unchanged")
    assert both(pinned, owned(kind, by)) == ("unchanged", "unchanged")
    assert both(owned(kind, by), pinned) == ("warned", "denied")


@pytest.mark.parametrize("by", ["v1 Node", "sparkoperator.k8s.io/v1beta2 SparkApplication", "v1 X"])
def test_a_pod_of_an_unknown_controller_is_left_to_it(by: str) -> None:
    assert both(owned("Pod", by)) == ("left-alone", "left-alone")


def test_a_pod_whose_terms_name_its_node_is_never_judged() -> None:
    node = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
    affinity = required([])
    required_terms = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    required_terms["nodeSelectorTerms"] = [{"matchExpressions": []}, node]

    for obj in (
        workload("Pod", affinity=affinity),
        owned("Pod", BUILT_IN[5][1], affinity=affinity),
    ):
        assert both(obj) == ("left-alone", "left-alone")
    assert both(workload("DaemonSet", affinity=affinity))[0] == "injected"


@pytest.mark.parametrize(
    "kind", ["Deployment", "DaemonSet", "StatefulSet", "CronJob", "Job", "CloneSet"]
)
@pytest.mark.parametrize("by", ["apps/v1 Deployment", "batch/v1 CronJob", "apps.kruise.io/v1alpha1 CloneSet"])  # fmt: skip
def test_no_owner_hides_a_kind_that_has_a_template_of_its_own(kind: str, by: str) -> None:
    for user in ("somebody", CONTROLLER):
        assert both(owned(kind, by), user=user) == ("injected", "denied")


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "Pod"])
@pytest.mark.parametrize(
    "references",
    [
        None,
        {},
        "Deployment/x",
        [1],
        [None],
        [[reference("apps/v1 Deployment")]],
        [reference("apps/v1 Deployment", controller=False)],
        [reference("apps/v1 Deployment", controller="true")],
        [reference("apps/v1 Deployment", controller=1)],
        [reference("apps/v1 Deployment", controller=None)],
        [reference("apps/v1 Deployment"), reference("argoproj.io/v1alpha1 Rollout")],
        [reference("apps/v1 Deployment"), "x"],
        [reference("apps/v1 Deployment", apiVersion=None)],
        [reference("apps/v1 Deployment", apiVersion=["apps/v1"])],
        [reference("apps/v1 Deployment", kind="")],
        [reference("apps/v1 Deployment", name=5)],
    ],
    ids=["null", "an object", "a text", "a number", "a null", "a list", "not the controller",
         "controller as text", "controller as number", "controller null", "two controllers",
         "one of two is none", "no API version", "API versions", "no kind", "a number as name"],
)  # fmt: skip
def test_a_reference_that_names_no_controller_hides_nothing(kind: str, references: Any) -> None:
    for user in ("somebody", CONTROLLER):
        assert both(claiming(workload(kind), references), user=user) == ("injected", "denied")


def test_the_controller_is_found_wherever_it_stands_in_the_list() -> None:
    other = reference("v1 ConfigMap", controller=False)
    obj = claiming(workload("ReplicaSet"), [other, reference("apps/v1 Deployment"), other])

    assert both(obj, user=CONTROLLER) == ("left-alone", "left-alone")


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_an_update_of_what_may_be_a_deployments_is_never_injected(kind: str) -> None:
    by = "apps/v1 Deployment"
    bare, mine = workload(kind), owned(kind, by)
    pinned = owned(kind, by, affinity=required([PINNED]))

    assert both(changed(mine, metadata={"labels": {"a": "b"}}), mine) == ("warned", "warned")
    assert both(mine, pinned) == ("warned", "denied"), "the pin goes"
    assert both(pinned, mine) == ("unchanged", "unchanged")
    assert both(bare, mine) == ("warned", "warned"), "it is orphaned by hand"
    assert both(mine, bare) == ("warned", "warned"), "it is claimed by hand"
    assert both(bare, bare) == ("injected", "warned")


def test_a_controller_adopts_and_releases_in_silence() -> None:
    bare, mine = workload("ReplicaSet"), owned("ReplicaSet", "apps/v1 Deployment")

    assert both(mine, bare, user=CONTROLLER) == ("left-alone", "left-alone")
    assert both(bare, mine, user=CONTROLLER)[0] == "warned"
