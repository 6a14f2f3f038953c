"""DESIGN's table of writes, row by row, and the rules of UPDATE."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.reviews import patch_of, review
from webhook.admission import exchange, scope
from webhook.admission import review as wire
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError
from webhook.policy import parse
from webhook.policy.model import Policy
from webhook.policy.words import Placement

KEY = "alibabacloud.com/external"
PINNED = {"key": KEY, "operator": "NotIn", "values": ["true"]}
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
CONTROLLER = [{"apiVersion": "apps/v1", "kind": "X", "name": "x", "uid": "u", "controller": True}]
RULES = """
rules:
- {name: home, match: {namespaces: [home]}, placement: on-prem}
- {name: home-warn, match: {namespaces: [home-warn]}, placement: on-prem, action: warn}
- {name: home-deny, match: {namespaces: [home-deny]}, placement: on-prem, action: deny}
- {name: lean, match: {kinds: [Deployment], namespaces: [lean]}, placement: on-prem, enforcement: preferred}
templates:
- {apiGroup: apps.kruise.io, apiVersions: [v1alpha1], resource: clonesets, kind: CloneSet, path: /spec/template}
overrides: {namespaces: [sandbox]}
"""


def policy(extra: str = RULES) -> Policy:
    base = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: bgp\n"
    return parse.parse(yaml.safe_load(base + extra))


POLICY = policy()


def workload(
    kind: str = "Deployment", namespace: str = "home", name: str = "web", **spec: Any
) -> dict[str, Any]:
    group = {"Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1", "ReplicationController": "v1",
             "CloneSet": "apps.kruise.io/v1alpha1"}.get(kind, "apps/v1")  # fmt: skip
    pod: dict[str, Any] = {"containers": [{"name": "c", "image": "x"}], **spec}
    body: dict[str, Any] = {"template": {"spec": pod}}
    if kind == "Pod":
        body = pod
    if kind == "CronJob":
        body = {"jobTemplate": {"spec": body}}
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": body,
    }


def terms(*expressions: Any) -> dict[str, Any]:
    listed = [{"matchExpressions": [e] if isinstance(e, dict) else e} for e in expressions]
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}
        }
    }


def ask(
    sent: dict[str, Any], hook: Hook = Hook.MUTATE, by: Policy = POLICY, **options: Any
) -> dict[str, Any]:
    answer, record = exchange.answer(hook, json.dumps(sent).encode(), by, **options)
    decoded: dict[str, Any] = json.loads(answer)
    verify(decoded, sent, hook)
    decoded["verdict"] = record.verdict.value
    return decoded


def verify(answer: dict[str, Any], sent: dict[str, Any], hook: Hook) -> None:
    """What the API server checks of every answer (apiserver, webhook/request/admissionreview.go)."""
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response = answer["response"]
    assert response["uid"] == sent["request"]["uid"]
    assert ("patch" in response) == ("patchType" in response)
    assert hook is Hook.MUTATE or "patch" not in response
    assert all(len(w) <= 120 and "\n" not in w for w in response.get("warnings", ()))
    assert all("/" not in key for key in response.get("auditAnnotations", ()))
    if not response["allowed"]:
        assert response["status"]["code"] == 403
        assert response["status"]["message"]


def verdict(sent: dict[str, Any], **options: Any) -> str:
    found: str = ask(sent, **options)["verdict"]
    return found


def with_metadata(obj: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], **metadata}}


MIRROR = {"kubernetes.io/config.mirror": "x"}


@pytest.mark.parametrize(
    ("obj", "create", "update"),
    [
        (workload("DaemonSet"), "injected", "injected"),
        (workload("Deployment"), "injected", "injected"),
        (workload("StatefulSet"), "injected", "injected"),
        (workload("CronJob"), "injected", "injected"),
        (workload("CloneSet"), "injected", "injected"),
        (workload("ReplicaSet"), "injected", "injected"),
        (workload("ReplicationController"), "injected", "injected"),
        (with_metadata(workload("ReplicaSet"), ownerReferences=CONTROLLER), "warned", "warned"),
        (with_metadata(workload("ReplicationController"), ownerReferences=CONTROLLER), "warned", "warned"),
        (with_metadata(workload("Deployment"), ownerReferences=CONTROLLER), "injected", "injected"),
        (workload("Job"), "injected", "warned"),
        (with_metadata(workload("Job"), ownerReferences=CONTROLLER), "injected", "warned"),
        (workload("Job", affinity=terms(PINNED)), "unchanged", "unchanged"),
        (workload("Pod"), "injected", "left-alone"),
        (with_metadata(workload("Pod"), ownerReferences=CONTROLLER), "left-alone", "left-alone"),
        (with_metadata(workload("Pod"), annotations=MIRROR), "left-alone", "left-alone"),
        (workload("Pod", nodeName="n"), "left-alone", "left-alone"),
        (with_metadata(workload(), deletionTimestamp="2026-01-01T00:00:00Z"), "left-alone", "left-alone"),
        (workload("Deployment", "elsewhere"), "left-alone", "left-alone"),
        (workload("Deployment", "kube-system", "hybrid-guard"), "left-alone", "left-alone"),
        ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}, "left-alone", "left-alone"),
    ],
)  # fmt: skip
def test_the_table_of_writes(obj: dict[str, Any], create: str, update: str) -> None:
    by = policy(RULES + "defaults: {}\n")

    assert verdict(review(obj), by=by) == create
    assert verdict(review(obj, "UPDATE", obj), by=by) == update
    assert verdict(review(None, "DELETE", obj), by=by) == "left-alone"
    assert verdict(review(obj, "CREATE", subResource="status"), by=by) == "left-alone"
    if create == "left-alone":
        assert verdict(review(obj), hook=Hook.VALIDATE, by=by) == "left-alone"


def test_our_own_objects_are_never_touched_even_where_a_rule_names_them() -> None:
    by = policy("rules: [{name: all, placement: on-prem}]")

    assert (
        verdict(review(workload("Deployment", "kube-system", "hybrid-guard")), by=by)
        == "left-alone"
    )
    assert (
        verdict(review(workload("Deployment", "kube-system", "hybrid-guard-certs")), by=by)
        == "left-alone"
    )
    assert verdict(review(workload("Deployment", "default", "hybrid-guard")), by=by) == "injected"


@pytest.mark.parametrize(
    "user", [*sorted(scope.SYSTEM_CONTROLLERS)[:3], "system:kube-controller-manager"]
)
def test_a_system_controllers_update_is_not_injected(user: str) -> None:
    obj = workload()

    assert verdict(review(obj, "UPDATE", obj, user=user)) == "warned"
    assert verdict(review(obj, user=user)) == "injected"


@pytest.mark.parametrize(
    "user",
    ["system:kube-controller-manager2", "system:serviceaccount:default:deployment-controller"],
)
def test_names_that_only_look_like_a_controllers_are_injected(user: str) -> None:
    obj = workload()

    assert verdict(review(obj, "UPDATE", obj, user=user)) == "injected"


def test_template_changed_injects_only_when_template_or_label_changed() -> None:
    by = policy(RULES + "defaults: {onUpdate: template-changed}\n")
    obj = workload()
    other_image = workload(containers=[{"name": "c", "image": "y"}])
    sandbox = workload(namespace="sandbox")
    labelled = with_metadata(sandbox, labels={"hybrid-guard.io/placement": "on-prem"})

    assert (
        verdict(review(with_metadata(obj, annotations={"a": "b"}), "UPDATE", obj), by=by)
        == "warned"
    )
    assert verdict(review(other_image, "UPDATE", obj), by=by) == "injected"
    assert verdict(review(labelled, "UPDATE", sandbox), by=by) == "injected"
    assert verdict(review(labelled, "UPDATE", labelled), by=by) == "warned"


def test_an_injection_says_what_why_and_what_restarts() -> None:
    obj = workload("DaemonSet", "kube-system", "calico-node")
    obj["spec"]["updateStrategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1},
    }
    obj["status"] = {"currentNumberScheduled": 42}

    created = ask(review(obj))["response"]
    updated = ask(review(obj, "UPDATE", obj))["response"]

    assert created["warnings"] == [
        f"HG101 kept off cloud nodes: added {KEY} NotIn [true] (calico, bgp network)"
    ]
    assert updated["warnings"][1] == (
        "HG101 changes the pod template: restarts calico-node on 42 nodes, RollingUpdate, maxUnavailable 1"
    )
    assert created["auditAnnotations"] == {"rule": "catalogue/calico", "verdict": "injected"}


def test_volumes_of_a_stateful_set_are_told() -> None:
    obj = workload("StatefulSet")
    obj["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]

    assert any(w.startswith("HG106 ") for w in ask(review(obj))["response"]["warnings"])


def test_the_patch_is_exactly_the_term_and_a_second_pass_does_nothing() -> None:
    obj = workload(affinity=terms(LINUX))
    answer = ask(review(obj))
    terms_path = (
        "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution"
    )

    assert patch_of(answer) == [
        {
            "op": "add",
            "path": f"{terms_path}/nodeSelectorTerms/0/matchExpressions/-",
            "value": PINNED,
        }
    ]
    stored = jsonpatch.apply_patch(obj, patch_of(answer))
    assert verdict(review(stored)) == "unchanged"
    assert verdict(review(stored), hook=Hook.VALIDATE) == "unchanged"


@pytest.mark.parametrize("hook", list(Hook))
def test_a_contradiction_with_a_users_rule_is_denied_by_both_hooks(hook: Hook) -> None:
    answer = ask(review(workload(nodeSelector={KEY: "true"})), hook)["response"]

    assert not answer["allowed"]
    assert answer["status"]["message"] == (
        f"HG103 contradiction: rule home wants on-prem nodes, nodeSelector: {KEY}=true excludes them\n"
        "  fix: change one of the two"
    )


def test_a_contradiction_is_only_told_where_policy_says_so_or_the_catalogue_guesses() -> None:
    lenient = policy(RULES + "defaults: {conflicts: warn}\n")
    obj = workload(nodeSelector={KEY: "true"})
    calico = workload("DaemonSet", "kube-system", "calico-node", nodeSelector={KEY: "true"})

    assert verdict(review(obj), by=lenient) == "warned"
    for hook in Hook:
        assert verdict(review(calico), hook=hook) == "warned"


@pytest.mark.parametrize(
    ("namespace", "mutate", "validate"),
    [("home", "injected", "denied"), ("home-warn", "warned", "warned"), ("home-deny", "denied", "denied"),
     ("lean", "injected", "unchanged")],
)  # fmt: skip
def test_each_action_does_its_part_in_each_hook(namespace: str, mutate: str, validate: str) -> None:
    sent = review(workload(namespace=namespace))

    assert verdict(sent) == mutate
    assert verdict(sent, hook=Hook.VALIDATE) == validate


def test_the_ratchet_denies_only_what_a_write_makes_worse() -> None:
    bare = workload()
    changed = workload(containers=[{"name": "c", "image": "y"}])
    pinned = workload(affinity=terms(PINNED))
    conflicting = workload(nodeSelector={KEY: "true"})
    finalized = with_metadata(conflicting, finalizers=[])

    def judged(new: dict[str, Any], old: dict[str, Any]) -> str:
        return verdict(review(new, "UPDATE", old), hook=Hook.VALIDATE)

    assert judged(bare, bare) == "warned"
    assert judged(changed, bare) == "warned", "it was so before"
    assert judged(bare, pinned) == "denied", "the write takes the pin off"
    assert judged(pinned, bare) == "unchanged"
    assert judged(finalized, conflicting) == "warned"
    assert verdict(review(finalized, "UPDATE", conflicting)) == "warned", "the mutating hook too"
    assert judged(conflicting, bare) == "denied", "another finding than before"


def test_a_denied_update_names_the_witness_and_the_line_to_add() -> None:
    answer = ask(review(workload(), "UPDATE", workload(affinity=terms(PINNED))), Hook.VALIDATE)

    assert answer["response"]["status"]["message"] == (
        f"HG101 can land on cloud nodes: the pod spec lacks {KEY} (rule home)\n"
        f"  fix: add to each term: {KEY} NotIn [true]"
    )


def test_namespace_paths_place_what_no_rule_names() -> None:
    obj = workload(namespace="elsewhere")

    assert verdict(review(obj), namespace_placement=Placement.ON_PREM) == "injected"
    answer = ask(review(obj), namespace_placement=Placement.CLOUD)
    assert patch_of(answer)[0]["value"] == terms({"key": KEY, "operator": "In", "values": ["true"]})


def test_dropped_terms_are_listed_by_both_hooks_in_the_same_words() -> None:
    old = workload(
        "DaemonSet",
        "any",
        affinity=terms([LINUX, {"key": "type", "operator": "NotIn", "values": ["vk"]}]),
    )
    new = workload("DaemonSet", "any", affinity=terms(PINNED))
    expected = ["HG107 this update drops node terms: kubernetes.io/os In [linux], type NotIn [vk]"]

    for hook in Hook:
        assert ask(review(new, "UPDATE", old), hook)["response"]["warnings"] == expected


def test_a_pin_that_is_put_back_is_not_a_drop() -> None:
    pinned = workload(affinity=terms(PINNED))

    assert ask(review(workload(), "UPDATE", pinned))["response"]["warnings"] == [
        f"HG101 kept off cloud nodes: added {KEY} NotIn [true] (rule home)"
    ]


def test_a_dry_run_is_answered_the_same() -> None:
    obj = workload()

    assert ask(review(obj, dryRun=True))["response"] == ask(review(obj))["response"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [({"affinity": "x"}, "spec.template.spec.affinity"), ({"nodeSelector": {"a": 1}}, "spec.template.spec.nodeSelector.a")],
)  # fmt: skip
def test_a_shape_that_cannot_be_read_is_denied_where_policy_asks(
    spec: dict[str, Any], path: str
) -> None:
    message = ask(review(workload(**spec)))["response"]["status"]["message"]

    assert message.startswith(f"HG100 {path} must be")
    assert verdict(review(workload(namespace="elsewhere", **spec))) == "left-alone"


def test_a_template_of_the_wrong_type_is_denied_once_and_then_told() -> None:
    obj = workload("CloneSet")
    obj["spec"] = {"template": "x"}

    assert verdict(review(obj)) == "denied"
    assert verdict(review(obj, "UPDATE", workload("CloneSet"))) == "denied"
    assert verdict(review(obj, "UPDATE", obj)) == "warned"
    assert verdict(review(with_metadata(obj, deletionTimestamp="x"), "UPDATE", obj)) == "left-alone"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda r: r.update(apiVersion="admission.k8s.io/v1beta1"),
        lambda r: r.update(kind="Review"),
        lambda r: r.update(request=None),
        lambda r: r["request"].pop("uid"),
        lambda r: r["request"].update(uid=3),
        lambda r: r["request"].update(operation="PATCH"),
        lambda r: r["request"].update(object=None),
        lambda r: r["request"].update(object=[]),
        lambda r: r["request"].update(operation="UPDATE", oldObject=None),
        lambda r: r["request"].update(kind="DaemonSet"),
    ],
)
def test_a_broken_envelope_is_a_bad_call(break_it: Any) -> None:
    sent = review(workload())
    break_it(sent)

    with pytest.raises(ReviewError):
        exchange.answer(Hook.MUTATE, json.dumps(sent).encode(), POLICY)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = [(), ("metadata",), ("metadata", "labels"), ("metadata", "ownerReferences"), ("metadata", "annotations"),
         ("spec",), ("spec", "template"), ("spec", "template", "spec"), ("spec", "template", "spec", "affinity"),
         ("spec", "template", "spec", "nodeSelector"), ("spec", "template", "spec", "containers"),
         ("spec", "updateStrategy"), ("spec", "replicas"), ("status",), ("spec", "volumeClaimTemplates")]  # fmt: skip


@given(json_values, st.sampled_from(PATHS), st.sampled_from(["Deployment", "DaemonSet", "StatefulSet"]),
       st.sampled_from(["home", "home-deny", "kube-system"]), st.booleans(), st.sampled_from(list(Hook)))  # fmt: skip
def test_no_object_makes_a_worker_fail_or_gets_a_patch_outside_affinity(
    value: Any,
    path: tuple[str, ...],
    kind: str,
    namespace: str,
    update: bool,  # noqa: FBT001  # hypothesis passes by position
    hook: Hook,
) -> None:
    obj: Any = workload(kind, namespace, "calico-node", affinity=terms(LINUX))
    obj["status"] = {}
    whole = copy.deepcopy(obj)
    target = obj
    for step in path[:-1]:
        target = target[step]
    if path:
        target[path[-1]] = value
    sent = review(whole, "UPDATE", whole) if update else review(whole)
    sent["request"]["object"] = obj if path else value
    try:
        answer = ask(sent, hook)
    except (ReviewError, StrictJSONError):
        return
    for op in patch_of(answer):
        assert op["op"] == "add"
        assert "/affinity" in op["path"]
    if answer["response"]["allowed"] and patch_of(answer):
        jsonpatch.apply_patch(obj, patch_of(answer))


def test_the_default_hook_validates_config_maps_and_deletions() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}

    def hook_of(sent: dict[str, Any]) -> str:
        _, record = exchange.answer(None, json.dumps(sent).encode(), POLICY)
        return record.hook.value

    assert hook_of(review(config_map)) == "validate"
    assert hook_of(review(None, "DELETE", workload())) == "validate"
    assert hook_of(review(workload())) == "mutate"


def test_annotations_for_the_log_hold_names_only() -> None:
    _, record = exchange.answer(Hook.MUTATE, json.dumps(review(workload())).encode(), POLICY)

    assert (record.kind, record.namespace, record.name) == ("Deployment", "home", "web")
    assert record.uid == wire.decode(review(workload())).uid
