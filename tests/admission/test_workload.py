from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.writes import (
    HOME,
    KEY,
    LINUX,
    PINNED,
    changed,
    judge,
    policy,
    required,
    workload,
)
from tests.reviews import patch_of
from webhook.admission.review import Hook
from webhook.patch import PatchError
from webhook.placement import pin
from webhook.policy.words import Placement

POLICY = policy()
BOTH = list(Hook)
CLOUD_ONLY: dict[str, Any] = {"nodeSelector": {KEY: "true"}}


KINDS = "[Deployment, CronJob, Pod]"


def ruled(**rule: Any) -> Any:
    text = ", ".join(f"{key}: {value}" for key, value in rule.items())
    return policy(f"rules: [{{name: home, match: {{namespaces: [home], kinds: {KINDS}}}, placement: on-prem, {text}}}]\n")  # fmt: skip


def test_an_injection_tells_what_was_added_and_why() -> None:
    answer = judge(Hook.MUTATE, workload(), by=POLICY)

    assert answer["warnings"] == [f"HG101 kept off cloud nodes: added {KEY} NotIn [true] (rule home)"]  # fmt: skip
    assert answer["auditAnnotations"] == {"rule": "home", "verdict": "injected"}
    assert answer["rule"] == "home"


def test_a_workload_for_the_cloud_is_kept_off_on_prem_nodes() -> None:
    by = policy(HOME.replace("on-prem", "cloud"))

    answer = judge(Hook.MUTATE, workload(), by=by)

    assert answer["warnings"] == [f"HG102 kept off on-prem nodes: added {KEY} In [true] (rule home)"]  # fmt: skip
    denied = judge(Hook.VALIDATE, workload(), by=by)
    assert denied["status"]["message"].startswith("HG102 can land on on-prem nodes: ")


@pytest.mark.parametrize("hook", BOTH)
def test_action_deny_denies_in_both_hooks_with_the_line_to_add(hook: Hook) -> None:
    answer = judge(hook, workload(), by=ruled(action="deny"))

    assert answer["status"]["message"] == (
        f"HG101 can land on cloud nodes: the pod spec lacks {KEY} (rule home)\n"
        f"  fix: add to each term: {KEY} NotIn [true]"
    )
    assert answer["auditAnnotations"] == {
        "rule": "home",
        "verdict": "denied",
        "findings": "HG101",
    }


@pytest.mark.parametrize("hook", BOTH)
def test_action_warn_warns_in_both_hooks_in_the_same_words(hook: Hook) -> None:
    answer = judge(hook, workload(), by=ruled(action="warn"))

    assert answer["warnings"] == [f"HG101 can land on cloud nodes: the pod spec lacks {KEY} (rule home)"]  # fmt: skip
    assert "patch" not in answer


def test_the_mutating_hook_denies_by_the_same_ratchet() -> None:
    by, pinned = ruled(action="deny"), workload(affinity=required([PINNED]))

    assert judge(Hook.MUTATE, workload(), pinned, by=by)["verdict"] == "denied"
    assert judge(Hook.MUTATE, workload(), workload(), by=by)["verdict"] == "warned"


def test_a_preference_is_added_and_what_it_leaves_open_is_a_note_for_the_audit_log() -> None:
    by = ruled(enforcement="preferred", weight=7)
    obj = workload()

    injected = judge(Hook.MUTATE, obj, by=by)
    assert injected["warnings"] == [
        f"HG105 prefers on-prem nodes now: added {KEY} NotIn [true] (rule home)"
    ]
    stored = jsonpatch.apply_patch(obj, patch_of({"response": injected}))
    preferred = stored["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    assert preferred == {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 7, "preference": {"matchExpressions": [PINNED]}}
        ]
    }
    for hook in BOTH:
        answer = judge(hook, stored, by=by)
        assert "warnings" not in answer
        assert answer["auditAnnotations"] == {
            "rule": "home",
            "verdict": "unchanged",
            "findings": "HG105",
        }


@pytest.mark.parametrize("hook", BOTH)
def test_what_matches_no_node_is_told_and_not_patched(hook: Hook) -> None:
    obj = workload(nodeSelector={"a": "b"}, affinity=required([{"key": "a", "operator": "NotIn", "values": ["b"]}]))  # fmt: skip

    answer = judge(hook, obj, by=POLICY)

    assert answer["verdict"] == "warned"
    assert answer["warnings"][0].startswith("HG104 matches no node: ")


@pytest.mark.parametrize(
    ("conflicts", "verdict"), [("deny", "denied"), ("warn", "warned")], ids=["deny", "warn"]
)
@pytest.mark.parametrize("hook", BOTH)
def test_conflicts_decide_what_a_contradiction_costs(
    hook: Hook, conflicts: str, verdict: str
) -> None:
    by = policy(HOME + f"defaults: {{conflicts: {conflicts}}}\n")

    answer = judge(hook, workload(**CLOUD_ONLY), by=by)

    assert answer["verdict"] == verdict
    assert answer["auditAnnotations"]["findings"] == "HG103"


@pytest.mark.parametrize("hook", BOTH)
def test_against_the_catalogue_a_contradiction_is_only_told(hook: Hook) -> None:
    obj = changed(workload("DaemonSet", "kube-system", **CLOUD_ONLY), metadata={"name": "calico-node"})  # fmt: skip

    answer = judge(hook, obj, by=policy("defaults: {conflicts: deny, action: deny}\n"))

    assert (answer["verdict"], answer["rule"]) == ("warned", "catalogue/calico")


def test_a_term_that_dies_is_told_beside_the_injection() -> None:
    cloud_term = [{"key": KEY, "operator": "In", "values": ["true"]}]

    answer = judge(Hook.MUTATE, workload(affinity=required([LINUX], cloud_term)), by=POLICY)

    assert answer["warnings"][1] == "HG103 nodeSelectorTerms[1] wants cloud nodes and will match no node"  # fmt: skip
    assert [op["path"].split("/")[-3:] for op in patch_of({"response": answer})] == [
        ["0", "matchExpressions", "-"],
        ["1", "matchExpressions", "-"],
    ]


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_volumes_are_told_of_for_a_stateful_set_alone(kind: str) -> None:
    obj = changed(workload(kind), spec={"volumeClaimTemplates": [{"metadata": {"name": "d"}}]})

    rules = [w[:5] for w in judge(Hook.MUTATE, obj, by=POLICY)["warnings"]]

    assert rules == (["HG101", "HG106"] if kind == "StatefulSet" else ["HG101"])


@pytest.mark.parametrize(
    ("placement", "operator"), [(Placement.ON_PREM, "NotIn"), (Placement.CLOUD, "In")]
)
def test_the_path_places_what_no_rule_names(placement: Placement, operator: str) -> None:
    obj = workload(namespace="elsewhere")

    answer = judge(Hook.MUTATE, obj, by=POLICY, namespace_placement=placement)

    assert answer["rule"] == "namespace"
    added = patch_of({"response": answer})[0]["value"]
    assert added["nodeAffinity"] == required([{**PINNED, "operator": operator}])["nodeAffinity"]
    assert judge(Hook.VALIDATE, obj, by=POLICY, namespace_placement=placement)["verdict"] == "denied"  # fmt: skip
    assert judge(Hook.MUTATE, obj, by=POLICY)["verdict"] == "left-alone"


def test_a_label_with_an_unknown_value_is_told_and_passed_over() -> None:
    by = policy(HOME + "overrides: {namespaces: [home]}\n")
    obj = changed(workload(), metadata={"labels": {"hybrid-guard.io/placement": "onprem"}})

    answer = judge(Hook.MUTATE, obj, by=by)

    assert answer["verdict"] == "injected"
    assert answer["warnings"][1].startswith("HG100 label hybrid-guard.io/placement=onprem")


UNREADABLE = [
    ("template", {"spec": {"template": "x"}}, "HG100 spec.template must be an object, found a string"),
    ("pod spec", {"spec": {"template": {"spec": [1]}}}, "HG100 spec.template.spec must be an object, found a list"),
    ("labels", {"metadata": {"labels": {"a": 1}}}, "HG100 metadata.labels.a must be a string, found a number"),
    ("affinity", {"spec": {"template": {"spec": {"affinity": 1}}}}, "HG100 spec.template.spec.affinity must be an object, found a number"),
    ("nothing", {"spec": {"template": None}}, "HG100 spec.template.spec is missing: there is no pod template"),
]  # fmt: skip


@pytest.mark.parametrize("hook", BOTH)
@pytest.mark.parametrize(("what", "parts", "message"), UNREADABLE, ids=[row[0] for row in UNREADABLE])  # fmt: skip
def test_what_cannot_be_read_is_denied_where_policy_asks_and_left_alone_elsewhere(
    hook: Hook, what: str, parts: dict[str, Any], message: str
) -> None:
    obj = changed(workload("CloneSet"), **parts)

    assert judge(hook, obj, by=POLICY)["status"]["message"].startswith(message), what
    assert judge(hook, obj, obj, by=POLICY)["verdict"] == "warned", "it was stored like that"
    assert judge(hook, obj, workload("CloneSet"), by=POLICY)["verdict"] == "denied"
    assert judge(hook, obj, by=policy(""))["verdict"] == "left-alone"
    gone = changed(obj, metadata={"deletionTimestamp": "x"})
    assert judge(hook, gone, obj, by=POLICY)["verdict"] == "left-alone"


@pytest.mark.parametrize("hook", BOTH)
def test_a_dry_run_is_answered_like_any_other(hook: Hook) -> None:
    assert judge(hook, workload(), by=POLICY, dryRun=True) == judge(hook, workload(), by=POLICY)


def test_a_patch_that_does_not_do_what_was_planned_answers_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin, "applied", lambda spec, _: {**spec, "hostNetwork": True})

    with pytest.raises(PatchError):
        judge(Hook.MUTATE, workload(), by=POLICY)


OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Near"]
expressions = st.fixed_dictionaries(
    {"key": st.sampled_from([KEY, "os", "a b"]), "operator": st.sampled_from(OPERATORS)},
    optional={"values": st.none() | st.lists(st.sampled_from(["true", "false", "1", ""]), max_size=2)},
)  # fmt: skip
terms = st.none() | st.fixed_dictionaries(
    {}, optional={"matchExpressions": st.none() | st.lists(expressions, max_size=2)}
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "nodeSelector": st.dictionaries(st.sampled_from([KEY, "os"]), st.sampled_from(["true", ""])),
        "affinity": st.none()
        | st.builds(
            lambda listed: {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}},
            st.none() | st.lists(terms, max_size=3),
        ),
    },
)  # fmt: skip
ACTIONS = {action: ruled(action=action) for action in ("inject", "warn", "deny")}


@given(specs, st.sampled_from(["Deployment", "CronJob", "Pod"]), st.sampled_from(list(ACTIONS)))  # fmt: skip
def test_mutating_what_was_mutated_changes_nothing_and_the_validating_hook_agrees(
    spec: dict[str, Any], kind: str, action: str
) -> None:
    obj, by = workload(kind, **spec), ACTIONS[action]
    answer = judge(Hook.MUTATE, copy.deepcopy(obj), by=by)
    operations = patch_of({"response": answer})
    assert all("/affinity" in op["path"] for op in operations)
    stored = jsonpatch.apply_patch(obj, operations)

    again = judge(Hook.MUTATE, stored, by=by)
    final = judge(Hook.VALIDATE, stored, by=by)

    assert "patch" not in again
    assert final["verdict"] == again["verdict"]
    if answer["verdict"] == "injected":
        assert final["allowed"]
        assert not any(w.startswith("HG101") for w in final.get("warnings", []))
