from __future__ import annotations

import contextlib
import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.policy import parse
from webhook.policy.words import Action, Enforcement, Network, Placement

BASE: dict[str, Any] = {
    "apiVersion": "hybrid-guard.io/v1alpha1",
    "kind": "Policy",
    "network": "bgp",
}
FULL: dict[str, Any] = {
    **BASE,
    "cloudNodes": {"key": "example.com/cloud", "values": ["yes", "true"]},
    "catalogue": False,
    "defaults": {"action": "warn", "conflicts": "warn", "onUpdate": "template-changed"},
    "rules": [
        {
            "name": "home",
            "match": {
                "kinds": ["Deployment", "CloneSet"],
                "namespaces": ["batch-*"],
                "names": ["*"],
                "labels": {"team": "core"},
                "images": ["registry.corp.example/*"],
            },
            "placement": "on-prem",
            "enforcement": "preferred",
            "weight": 7,
            "action": "deny",
        }
    ],
    "templates": [
        {"apiGroup": "apps.kruise.io", "apiVersions": ["v1alpha1"], "resource": "clonesets",
         "kind": "CloneSet", "path": "/spec/template"}
    ],
    "overrides": {"label": "example.com/placement", "namespaces": ["sandbox"]},
    "eniConfig": {"namespace": "net", "name": "eni", "credentials": "secret-or-inline",
                  "installers": ["system:*"]},
}  # fmt: skip


def problems(document: object) -> list[tuple[str, str, str | None]]:
    with pytest.raises(parse.PolicyError) as raised:
        parse.parse(document)
    return [(str(p).partition(":")[0], p.message, p.fix) for p in raised.value.problems]


def test_a_full_policy_means_what_it_says() -> None:
    policy = parse.parse(FULL)

    assert policy.network is Network.BGP
    assert policy.cloud_nodes.key == "example.com/cloud"
    assert policy.cloud_nodes.values == ("yes", "true")
    assert not policy.catalogue
    rule = policy.rules[0]
    assert (rule.name, rule.placement, rule.action) == ("home", Placement.ON_PREM, Action.DENY)
    assert (rule.enforcement, rule.weight) == (Enforcement.PREFERRED, 7)
    assert policy.kinds[-1].template == ("spec", "template")
    assert policy.kinds[-1].kind == "CloneSet"
    assert policy.eni.installers.match("system:anything")


def test_the_shortest_policy_takes_the_documented_defaults() -> None:
    policy = parse.parse(BASE)

    assert policy.cloud_nodes.key == "alibabacloud.com/external"
    assert policy.cloud_nodes.values == ("true",)
    assert policy.catalogue
    assert (policy.action, policy.conflicts, policy.on_update) == ("inject", "deny", "always")
    assert policy.overrides.namespaces.match("default") is None
    assert (policy.eni.namespace, policy.eni.name) == ("kube-system", "eni-config")
    assert policy.eni.credentials == "inline"


def test_all_mistakes_are_told_at_once_each_with_path_and_fix() -> None:
    document = {
        "apiVersion": "hybrid-guard.io/v1alpha1",
        "kind": "Policy",
        "networks": "bgp",
        "defaults": {"action": "injct"},
        "cloudNodes": {"values": [True]},
        "rules": [
            {"name": "a", "match": {"kinds": ["Deploymnt"]}, "placement": "onprem"},
            {"name": "a", "placement": "cloud", "enforcement": "preferred"},
        ],
    }

    assert sorted(problems(document)) == sorted([
        ("cloudNodes.values[0]", "must be a string, found a boolean", 'put it in quotes: "true"'),
        ("network is required", parse._NETWORK, "network: bgp  # or overlay, or host"),  # noqa: SLF001
        ("networks", "networks is not a key of a policy here", "did you mean network?"),
        ("defaults.action", "'injct' is not known", "did you mean inject?"),
        ("rules[0].placement", "'onprem' is not known", "did you mean on-prem?"),
        ("rules[0].match.kinds[0]", "'Deploymnt' is not a kind with a pod template", "did you mean Deployment?"),
        ("rules[1]", "enforcement: preferred cannot apply to DaemonSets: their controller ignores preferred terms", "list match.kinds without DaemonSet, or use enforcement: required"),
        ("rules[1].name", "a rule named 'a' stands above already", None),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("network",), "vxlan", "'vxlan' is not known"),
        (("network",), 1, "must be one of overlay, bgp, host, found a number"),
        (("cloudNodes", "key"), "bad key", "'bad key' cannot be a label key"),
        (("cloudNodes", "values"), [], "must not be empty"),
        (("cloudNodes", "values", 0), "no!", "'no!' cannot be a label value"),
        (("catalogue",), "yes", "must be true or false, found a string"),
        (("rules",), {}, "must be a list, found an object"),
        (("rules", 0), "x", "must be a mapping, found a string"),
        (("rules", 0, "weight"), 101, "101 is not between 1 and 100"),
        (("rules", 0, "weight"), "7", "must be a whole number, found a string"),
        (("rules", 0, "name"), "", "must not be empty"),
        (("rules", 0, "name"), "x" * 64, "is longer than 63 characters"),
        (("rules", 0, "match", "labels"), {"matchExpressions": [{"key": "a", "operator": "In"}]},
         "operator In needs values"),
        (("rules", 0, "match", "labels"), {"matchLabels": {"a b": "c"}}, "'a b' cannot be a label key"),
        (("rules", 0, "match", "labels"), ["team"], "must be a mapping, found a list"),
        (("templates", 0, "path"), "spec/template", "'spec/template' is not a JSON pointer to a pod template"),
        (("templates", 0, "kind"), "DaemonSet", "DaemonSet is built in already"),
        (("kind",), "Polcy", "'Polcy' is not known"),
    ],
)  # fmt: skip
def test_each_wrong_value_is_named_in_our_own_words(
    path: tuple[str | int, ...], value: object, message: str
) -> None:
    document = copy.deepcopy(FULL)
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value

    assert message in [found for _, found, _ in problems(document)]


@pytest.mark.parametrize("document", [None, [], "text", 3], ids=["empty", "list", "text", "number"])
def test_what_is_no_mapping_gets_one_problem_and_a_start(document: object) -> None:
    found = problems(document)

    assert len(found) == 1
    assert "apiVersion: hybrid-guard.io/v1alpha1" in (found[0][2] or "")


def test_a_weight_needs_a_preference() -> None:
    rule = {"name": "a", "placement": "cloud", "weight": 3}

    assert problems({**BASE, "rules": [rule]})[0][1] == "weight belongs to enforcement: preferred"


def test_the_schema_agrees_with_the_loader() -> None:
    validator = jsonschema.Draft202012Validator(parse.schema())

    validator.validate(FULL)
    validator.validate(BASE)
    wrong: Any
    for wrong in ({**BASE, "netwrk": 1}, {**BASE, "network": "x"}, {"kind": "Policy"}, [],
                  {**BASE, "rules": [{"name": "a"}]}):  # fmt: skip
        assert not validator.is_valid(wrong)
        problems(wrong)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values, st.sampled_from(sorted(FULL)), st.booleans())
def test_nothing_but_a_policy_error_comes_of_any_document(
    value: object,
    key: str,
    inside: bool,  # noqa: FBT001
) -> None:
    document = {**FULL, key: value} if inside else value
    with contextlib.suppress(parse.PolicyError):
        parse.parse(document)
