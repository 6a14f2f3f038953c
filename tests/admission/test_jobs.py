"""Jobs that wait: injected while their template may change, and resumed by whoever holds them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.admission.writes import KEY, PINNED, changed, judge, policy, required, workload
from tests.reviews import patch_of
from webhook.admission.review import Hook

BY = policy()
KUEUE = "system:serviceaccount:kueue-system:kueue-controller-manager"
NEVER: dict[str, Any] = {}
STARTED = {"startTime": "2026-01-01T00:00:00Z"}
FLAVOUR = {"pool": "a"}
CLOUD = {KEY: "true"}
PIN = required([PINNED])


def job(
    *, suspend: object = True, status: dict[str, Any] | None = None, **pod_spec: Any
) -> dict[str, Any]:
    return changed(workload("Job", **pod_spec), spec={"suspend": suspend}, status=status or {})


def without_status(obj: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in obj.items() if key != "status"}


def both(obj: dict[str, Any], old: dict[str, Any], **options: Any) -> tuple[str, str]:
    options = {"by": BY, **options}
    mutating, validating = (judge(hook, obj, old, **options)["verdict"] for hook in Hook)
    return mutating, validating


@pytest.mark.parametrize(
    ("old", "verdicts"),
    [
        (job(), ("injected", "warned")),
        (job(status={"startTime": None, "active": 0}), ("injected", "warned")),
        (job(status=STARTED), ("warned", "warned")),
        (job(suspend=False), ("warned", "warned")),
        (job(suspend=None), ("warned", "warned")),
        (job(suspend="true"), ("warned", "warned")),
        (workload("Job"), ("warned", "warned")),
        ({**job(), "status": None}, ("warned", "warned")),
        (without_status(job()), ("injected", "warned")),
        (job(affinity=PIN), ("injected", "denied")),
        (job(affinity=PIN, status=STARTED), ("warned", "denied")),
    ],
    ids=["suspended", "an empty status", "started", "running", "null", "a text", "not said", "a status not read", "no status",
         "pinned", "pinned and started"],
)  # fmt: skip
def test_a_changed_template_is_injected_while_the_job_never_started(
    old: dict[str, Any], verdicts: tuple[str, str]
) -> None:
    assert both(job(nodeSelector=FLAVOUR), old) == verdicts


def test_a_job_whose_status_is_left_out_unread_is_never_patched() -> None:
    deep = orjson.Fragment(b"[" * 300 + b"]" * 300)
    old = changed(job(status=STARTED), metadata={"managedFields": deep})
    new = changed(job(nodeSelector=FLAVOUR), metadata={"managedFields": deep})

    assert both(new, old) == ("warned", "warned")


@pytest.mark.parametrize("suspend", [True, False])
@pytest.mark.parametrize("status", [NEVER, STARTED])
def test_an_update_that_leaves_the_template_is_warned_and_never_patched(
    suspend: bool,  # noqa: FBT001  # a table
    status: dict[str, Any],
) -> None:
    old = job(status=status)
    new = changed(job(suspend=suspend), metadata={"labels": {"a": "b"}})

    assert both(new, old) == ("warned", "warned")
    assert both(new, old, user=KUEUE) == ("warned", "warned")


def test_a_placement_label_that_comes_later_denies_nothing() -> None:
    by = policy("overrides: {namespaces: [home]}\n")
    new = changed(job(), metadata={"labels": {"hybrid-guard.io/placement": "on-prem"}})

    assert both(new, job(), by=by) == ("warned", "warned")


def test_template_changed_asks_for_no_more_of_a_job() -> None:
    by = policy(
        "rules: [{name: home, placement: on-prem}]\ndefaults: {onUpdate: template-changed}\n"
    )

    assert both(job(nodeSelector=FLAVOUR), job(), by=by)[0] == "injected"
    assert both(job(), job(), by=by)[0] == "warned"


def test_what_is_injected_is_what_the_api_server_lets_change() -> None:
    answer = judge(Hook.MUTATE, job(nodeSelector=FLAVOUR), job(), by=BY)

    operations = patch_of({"response": answer})
    assert {op["path"] for op in operations if "annotations" not in op["path"]} == {
        "/spec/template/spec/affinity"
    }
    assert (
        answer["warnings"][1]
        == "HG101 changes the pod template: pods of web have it once it starts"
    )


def test_a_person_cannot_send_a_waiting_job_to_the_cloud() -> None:
    there = job(nodeSelector=CLOUD)

    for user in ("somebody", "system:admin"):
        for suspend in (True, False):
            new = changed(there, spec={"suspend": suspend})
            assert both(new, job(), user=user) == ("denied", "denied")
    assert both(there, job(), user=KUEUE) == ("denied", "denied"), "it is not resumed by this"


@pytest.mark.parametrize(
    "user",
    [KUEUE, "system:serviceaccount:jobset-system:jobset-controller-manager", "system:node:n"],
)
def test_what_a_queue_adds_while_it_resumes_is_warned_about(user: str) -> None:
    neutral, cloud = (job(suspend=False, nodeSelector=pods) for pods in (FLAVOUR, CLOUD))

    assert both(neutral, job(affinity=PIN), user=user) == ("injected", "warned")
    assert both(cloud, job(), user=user) == ("warned", "warned")
    assert both(cloud, job(affinity=PIN), user=user) == ("warned", "warned")
    (told,) = judge(Hook.VALIDATE, cloud, job(), by=BY, user=user)["warnings"]
    assert told.startswith("HG103 contradiction: rule home wants on-prem nodes")


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("rules: [{name: home, placement: on-prem, action: deny}]\n", ("denied", "denied")),
        ("rules: [{name: home, placement: on-prem}]\ndefaults: {action: deny}\n", ("denied", "denied")),
        ("rules: [{name: home, placement: on-prem, action: warn}]\n", ("warned", "warned")),
        ("overrides: {namespaces: [home]}\ndefaults: {action: deny}\n", ("warned", "warned")),
    ],
    ids=["the rule denies", "the default of rules denies", "the rule warns", "a label is no rule"],
)  # fmt: skip
def test_only_a_rule_that_says_deny_denies_a_queue(text: str, verdicts: tuple[str, str]) -> None:
    label = {"labels": {"hybrid-guard.io/placement": "on-prem"}}
    old = changed(job(affinity=PIN), metadata=label)
    new = changed(job(suspend=False, nodeSelector=CLOUD), metadata=label)

    assert both(new, old, by=policy(text), user=KUEUE) == verdicts


def test_the_pods_of_other_kinds_that_wait_are_judged_as_ever() -> None:
    old = changed(workload("CronJob"), spec={"suspend": True})
    new = changed(workload("CronJob", nodeSelector=CLOUD), spec={"suspend": False})

    assert both(new, old, user=KUEUE) == ("denied", "denied")


def test_an_account_of_the_jobs_own_namespace_is_whoever_may_edit_it() -> None:
    own = "system:serviceaccount:home:default"
    contradicts = job(suspend=False, nodeSelector=CLOUD)
    beyond = job(suspend=False, affinity=required(*[[{"key": "a", "operator": "Exists"}]] * 10_001))

    assert both(contradicts, job(affinity=PIN), user=own) == ("denied", "denied")
    assert both(contradicts, job(affinity=PIN), user=KUEUE) == ("warned", "warned")
    assert both(beyond, job(affinity=PIN), user=KUEUE)[1] == "denied"
