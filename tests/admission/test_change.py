from __future__ import annotations

from typing import Any

import pytest

from tests.admission.writes import KEY, LINUX, PINNED, changed, judge, policy, required, workload
from webhook.admission.review import Hook

POLICY = policy()
CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 1}}


def warnings(obj: dict[str, Any], old: dict[str, Any], **options: Any) -> list[str]:
    found: list[str] = judge(Hook.MUTATE, obj, old, by=POLICY, **options).get("warnings", [])
    return found


def of(kind: str, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return changed(workload(kind), spec=spec, status=status or {})


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        (of("DaemonSet", {"desiredNumberScheduled": 42, "currentNumberScheduled": 40},
            updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}),
         "restarts web on 42 nodes, RollingUpdate, maxUnavailable 1"),
        (of("DaemonSet", {"currentNumberScheduled": 1}), "restarts web on 1 node"),
        (of("DaemonSet"), "restarts web on its nodes"),
        (of("DaemonSet", {"desiredNumberScheduled": 3}, updateStrategy={"type": "OnDelete"}),
         "OnDelete, restarts web on 3 nodes when deleted; wrong-side pods go now"),
        (of("Deployment", replicas=3, strategy=ROLLING),
         "restarts 3 pods of web, RollingUpdate, maxUnavailable 25%"),
        (of("Deployment", replicas=0, strategy={"type": "Recreate"}),
         "restarts 0 pods of web, Recreate"),
        (of("Deployment"), "restarts 1 pod of web"),
        (of("StatefulSet", replicas=2, updateStrategy={"type": "OnDelete"}),
         "OnDelete, restarts 2 pods of web when deleted"),
        (of("CronJob"), "jobs of web have it from the next run on"),
        (of("ReplicaSet", replicas=2), "only new pods of web have it"),
        (of("ReplicationController", replicas=2), "only new pods of web have it"),
        (of("CloneSet", replicas=5, updateStrategy={"type": "ReCreate", "maxUnavailable": 2}),
         "restarts 5 pods of web, ReCreate"),
        (of("CloneSet"), "restarts the pods of web"),
        (of("Deployment", replicas="3", strategy=[1]), "restarts the pods of web"),
        (of("DaemonSet", {"desiredNumberScheduled": True}, updateStrategy={"type": 1}),
         "restarts web on its nodes"),
    ],
)  # fmt: skip
def test_an_injection_into_a_live_template_says_what_restarts(
    obj: dict[str, Any], told: str
) -> None:
    assert warnings(obj, obj)[1] == f"HG101 changes the pod template: {told}"


def test_the_pods_of_a_daemon_set_are_counted_from_the_stored_status() -> None:
    stored = of("DaemonSet", {"desiredNumberScheduled": 7})
    put = workload("DaemonSet")

    assert warnings(put, stored)[1] == "HG101 changes the pod template: restarts web on 7 nodes"


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("DaemonSet", "n… on 12345 nodes when deleted; wrong-side pods go now"),
        ("Deployment", "restarts 12345 pods of nnn"),
        ("CronJob", "n… have it from the next run on"),
    ],
)
def test_a_long_name_leaves_room_for_the_rest(kind: str, end: str) -> None:
    obj = of(
        kind,
        {"desiredNumberScheduled": 12_345},
        replicas=12_345,
        updateStrategy={"type": "OnDelete"},
    )
    obj["metadata"]["name"] = "n" * 253
    told = warnings(obj, obj)[1]

    assert len(told) == 120
    assert end in told


def test_a_new_object_restarts_nothing() -> None:
    assert len(judge(Hook.MUTATE, workload(), by=POLICY)["warnings"]) == 1


def test_a_put_that_forgets_the_pin_restarts_nothing() -> None:
    assert len(warnings(workload(), workload(affinity=required([PINNED])))) == 1


def dropped(old: Any, new: Any, kind: str = "DaemonSet", **options: Any) -> list[list[str]]:
    """What both hooks warn about in a namespace that policy says nothing of."""
    before, after = workload(kind, "any", affinity=old), workload(kind, "any", affinity=new)
    return [judge(hook, after, before, by=POLICY, **options).get("warnings", []) for hook in Hook]


ARCH = {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm", "arm64"]}
GUARDED = required([LINUX, ARCH])
SAID = [
    f"HG107 this update drops node terms: {LINUX['key']} In [linux], {ARCH['key']} NotIn [arm, arm64]"
]


@pytest.mark.parametrize(
    "kind",
    ["DaemonSet", "Deployment", "StatefulSet", "CronJob", "ReplicaSet", "ReplicationController",
     "CloneSet"],
)  # fmt: skip
def test_a_patch_that_replaces_the_list_is_told_by_both_hooks_alike(kind: str) -> None:
    assert dropped(GUARDED, required([PINNED]), kind) == [SAID, SAID]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (None, SAID),
        ({}, SAID),
        ({"nodeAffinity": None}, SAID),
        (required([LINUX]), ["HG107 this update drops node terms: kubernetes.io/arch NotIn [arm, arm64]"]),
        (GUARDED, []),
        (required([ARCH, LINUX, PINNED]), []),
    ],
    ids=["no affinity", "empty", "null", "one expression", "the same", "more, in another order"],
)  # fmt: skip
def test_only_what_goes_is_listed(new: Any, expected: list[str]) -> None:
    assert dropped(GUARDED, new) == [expected, expected]


def test_a_system_controller_and_a_deletion_drop_in_silence() -> None:
    assert dropped(GUARDED, None, user=CONTROLLER) == [[], []]
    gone = changed(workload("DaemonSet", "any"), metadata={"deletionTimestamp": "x"})
    for hook in Hook:
        answer = judge(hook, gone, workload("DaemonSet", "any", affinity=GUARDED), by=POLICY)
        assert "warnings" not in answer


def test_terms_that_cannot_be_read_are_not_compared() -> None:
    assert dropped({"nodeAffinity": 1}, None) == [[], []]


def test_a_drop_beside_an_injection_is_told_beside_it() -> None:
    told = warnings(workload(), workload(affinity=required([LINUX, PINNED])))

    assert told[0].startswith("HG101 kept off cloud nodes")
    assert told[-1] == "HG107 this update drops node terms: kubernetes.io/os In [linux]"


@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [
        (workload(), None, "denied"),
        (workload(), workload(), "warned"),
        (workload(), workload(affinity=required([PINNED])), "denied"),
        (workload(nodeSelector={"a": "b"}), workload(), "warned"),
        (workload(nodeSelector={KEY: "true"}), workload(), "denied"),
        (workload(nodeSelector={KEY: "true"}), workload(nodeSelector={KEY: "true", "a": "b"}), "warned"),
        (changed(workload(), metadata={"labels": {"a": "b"}}), workload(), "warned"),
        (workload(), changed(workload(), spec={"template": [1]}), "denied"),
    ],
    ids=["created", "nothing changes", "the pin goes", "it was so before", "another finding",
         "the same finding", "labels alone", "what was stored cannot be read"],
)  # fmt: skip
def test_the_ratchet_of_the_validating_hook(
    new: dict[str, Any], old: dict[str, Any] | None, verdict: str
) -> None:
    assert judge(Hook.VALIDATE, new, old, by=POLICY)["verdict"] == verdict


def test_the_placement_label_counts_as_a_change() -> None:
    label = "hybrid-guard.io/placement"
    by = policy("overrides: {namespaces: [home]}\n")
    bare, labelled = workload(), changed(workload(), metadata={"labels": {label: "on-prem"}})

    assert judge(Hook.VALIDATE, labelled, bare, by=by)["verdict"] == "denied"
    assert judge(Hook.VALIDATE, labelled, labelled, by=by)["verdict"] == "warned"


def test_a_rule_that_begins_to_apply_denies_no_write_of_something_else() -> None:
    by = policy("rules: [{name: core, match: {labels: {team: core}}, placement: on-prem}]\n")
    named = changed(workload(), metadata={"labels": {"team": "core"}})

    assert judge(Hook.VALIDATE, named, workload(), by=by)["verdict"] == "warned"
    assert judge(Hook.VALIDATE, named, by=by)["verdict"] == "denied"
