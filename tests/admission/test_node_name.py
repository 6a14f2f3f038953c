"""A template that names a node is told of, and never pinned: its kubelet would refuse the pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admission.test_handler import PINNED, ask, terms, workload
from tests.reviews import patch_of, review
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.model import Policy

NODE = "cn-hangzhou.10.0.3.7"


def policy(action: str = "inject", placement: str = "on-prem") -> Policy:
    rule = {
        "name": "home",
        "match": {"namespaces": ["*"]},
        "placement": placement,
        "action": action,
    }
    document = {
        "apiVersion": "hybrid-guard.io/v1alpha1",
        "kind": "Policy",
        "network": "bgp",
        "rules": [rule],
    }
    return parse.parse(document)


def bound(kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    return workload(kind, nodeName=NODE, **spec)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "CronJob", "Job", "ReplicaSet"])
@pytest.mark.parametrize("placement", ["on-prem", "cloud"])
def test_it_is_let_in_as_it_is_with_a_warning(kind: str, placement: str) -> None:
    for hook in Hook:
        answer = ask(review(bound(kind)), hook, policy(placement=placement))
        assert answer["response"]["allowed"] is True
        assert not patch_of(answer)
        (warning,) = answer["response"]["warnings"]
        assert warning.startswith(f"HG108 bound to node {NODE} by name: ")


def test_a_daemonset_is_pinned_as_ever_since_its_controller_looks_at_both() -> None:
    assert patch_of(ask(review(bound("DaemonSet")), by=policy()))


def test_one_that_is_right_already_is_no_news() -> None:
    answer = ask(review(bound(affinity=terms(PINNED))), by=policy())
    assert "warnings" not in answer["response"]


def test_a_node_name_that_is_empty_or_null_names_none() -> None:
    for name in ("", None):
        assert patch_of(ask(review(workload("Deployment", nodeName=name)), by=policy()))


def test_a_rule_of_the_users_own_that_says_deny_denies_it_and_what_is_stored_stays() -> None:
    obj = bound()
    assert ask(review(obj), Hook.MUTATE, policy("deny"))["response"]["allowed"] is True
    denied = ask(review(obj), Hook.VALIDATE, policy("deny"))["response"]
    assert denied["allowed"] is False
    assert denied["status"]["message"].startswith("HG108 ")

    labelled = {**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}}
    kept = ask(review(labelled, "UPDATE", obj), Hook.VALIDATE, policy("deny"))["response"]
    assert kept["allowed"] is True
    assert kept["warnings"][0].startswith("HG108 ")
    moved = workload("Deployment")
    worse = ask(review(obj, "UPDATE", moved), Hook.VALIDATE, policy("deny"))["response"]
    assert worse["allowed"] is False
