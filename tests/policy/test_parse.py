from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.growth import growth
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


def keys(size: int) -> dict[str, Any]:
    return {**BASE, **{f"netwrk{n}": n for n in range(size)}}


def rules(size: int, **fields: Any) -> dict[str, Any]:
    return {**BASE, "rules": [{"name": "r", "placement": "cloud", **fields} for _ in range(size)]}


def kinds(size: int) -> dict[str, Any]:
    template = FULL["templates"][0]
    templates = [{**template, "kind": f"Kind{n}", "resource": f"r{n}"} for n in range(size)]
    return {
        **rules(size, match={"kinds": [f"Kynd{n}" for n in range(4)]}),
        "templates": templates,
    }


BULKY = {
    "unknown keys": keys,
    "one long key": lambda size: {**BASE, "n" * size * 20: 1},
    "rules of one name": rules,
    "unknown words": lambda size: rules(size, placement="clowd"),
    "one long word": lambda size: rules(1, placement="cloud" * size),
    "unknown kinds, many known": kinds,
    "refused items of lists": lambda size: rules(size, match={"namespaces": ["A"]}),
    "empty lists": lambda size: rules(size, match={"namespaces": []}),
    "refused labels": lambda size: rules(1, match={"labels": {f"{n} !": "x" for n in range(size)}}),
    "long globs": lambda size: rules(1, match={"namespaces": ["[a-" * size], "images": ["*a[" * size]}),
    "templates of one kind": lambda size: {**BASE, "templates": FULL["templates"] * size},
    "wrong templates": lambda size: {**BASE, "templates": [{"apiGroup": "a." * 50 + "-"}] * size},
}  # fmt: skip


@pytest.mark.parametrize("make", BULKY.values(), ids=BULKY)
def test_what_is_wrong_is_found_in_the_length_of_the_document(
    make: Callable[[int], dict[str, Any]],
) -> None:
    sizes = (250, 2000)
    documents = {size: make(size) for size in sizes}

    def look(size: int) -> None:
        with contextlib.suppress(parse.PolicyError):
            parse.parse(documents[size])

    assert growth(look, sizes[0]) < 24


def test_as_many_problems_are_told_as_are_read_the_first_ones_and_the_rest_is_counted() -> None:
    document = {**keys(8000), "rules": [{"name": "late"}]}
    with pytest.raises(parse.PolicyError) as raised:
        parse.parse(document)

    assert [problem.pointer for problem in raised.value.problems] == [
        (f"netwrk{n}",) for n in range(parse.PROBLEMS_MAX)
    ]
    assert raised.value.more == 8000 - parse.PROBLEMS_MAX + 1


def test_what_is_told_quotes_no_more_than_can_be_read() -> None:
    long = "x" * 100_000
    document = {**BASE, long: 1, "rules": [{"name": long, "placement": long, "match": {"kinds": [long], "namespaces": [long], "labels": {long: long}}}]}  # fmt: skip
    with pytest.raises(parse.PolicyError) as raised:
        parse.parse(document)

    assert len(raised.value.problems) == 7
    for problem in raised.value.problems:
        assert len(f"{problem} {problem.fix}") < 2000


def test_problems_stand_as_the_document_has_them() -> None:
    document = {
        "rules": [{"placement": "x", "name": "a"}, {"name": 1}],
        "kind": "Polcy",
        "network": "bgp",
        "apiVersion": "v0",
    }

    assert [found for found, _, _ in problems(document)] == [
        "rules[0].placement", "rules[1]", "rules[1].name", "kind", "apiVersion",
    ]  # fmt: skip


TEMPLATE = FULL["templates"][0]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("apiGroup", "", "a group of Kubernetes itself"),
        ("apiGroup", "apps", "a group of Kubernetes itself"),
        ("apiGroup", "batch", "a group of Kubernetes itself"),
        ("apiGroup", "coordination.k8s.io", "a group of Kubernetes itself"),
        ("apiGroup", "authentication.k8s.io", "a group of Kubernetes itself"),
        ("apiGroup", "flowcontrol.apiserver.k8s.io", "a group of Kubernetes itself"),
        ("apiGroup", "k8s.io", "a group of Kubernetes itself"),
        ("apiGroup", "*", "cannot be an API group"),
        ("apiGroup", "*.kruise.io", "cannot be an API group"),
        ("apiGroup", "Coordination.k8s.io", "cannot be an API group"),
        ("apiGroup", "coordination.k8s.io ", "cannot be an API group"),
        ("apiGroup", "apps.kruise.io/v1", "cannot be an API group"),
        ("resource", "*", "cannot be a resource"),
        ("resource", "*/*", "cannot be a resource"),
        ("resource", "clonesets/*", "cannot be a resource"),
        ("resource", "clonesets/scale", "cannot be a resource"),
        ("resource", "CloneSets", "cannot be a resource"),
        ("resource", "", "cannot be a resource"),
        ("resource", "x" * 64, "cannot be a resource"),
        ("resource", "pods", "written all the time"),
        ("resource", "leases", "written all the time"),
        ("resource", "nodes", "written all the time"),
        ("resource", "events", "written all the time"),
        ("apiVersions", ["*"], "cannot be an API version"),
        ("apiVersions", ["v1", "V2"], "cannot be an API version"),
        ("apiVersions", ["apps.kruise.io/v1"], "cannot be an API version"),
        ("apiVersions", [""], "cannot be an API version"),
        ("kind", "*", "cannot be a kind"),
        ("kind", "", "cannot be a kind"),
        ("kind", "Clone Set", "cannot be a kind"),
        ("kind", "DaemonSet", "is built in already"),
    ],
)  # fmt: skip
def test_a_template_that_would_make_a_hook_on_what_kubernetes_writes_is_refused(
    field: str, value: object, said: str
) -> None:
    document = {**BASE, "templates": [{**TEMPLATE, field: value}]}

    ((path, message, fix),) = problems(document)

    assert path.startswith(f"templates[0].{field}")
    assert said in message
    assert fix
    assert not jsonschema.Draft202012Validator(parse.schema()).is_valid(document)


@pytest.mark.parametrize(
    ("group", "resource", "kind"),
    [
        ("apps.kruise.io", "clonesets", "CloneSet"),
        ("argoproj.io", "rollouts", "Rollout"),
        ("jobset.x-k8s.io", "jobsets", "JobSet"),
        ("leaderworkerset.x-k8s.io", "leaderworkersets", "LeaderWorkerSet"),
        ("sparkoperator.k8s.io", "sparkapplications", "SparkApplication"),
        ("apps.kruise.io", "daemonsets", "AdvancedDaemonSet"),
    ],
)
def test_a_template_of_any_crd_is_taken(group: str, resource: str, kind: str) -> None:
    given = {**TEMPLATE, "apiGroup": group, "resource": resource, "kind": kind}
    document = {**BASE, "templates": [given]}

    assert parse.parse(document).kinds[-1].group == group
    jsonschema.Draft202012Validator(parse.schema()).validate(document)


def test_a_template_that_stands_twice_is_refused() -> None:
    other = {**TEMPLATE, "apiGroup": "argoproj.io"}
    again = [TEMPLATE, other, {**TEMPLATE, "kind": "Clone"}, {**TEMPLATE, "resource": "clones"}]

    assert [(path, message) for path, message, _ in problems({**BASE, "templates": again})] == [
        ("templates[2].resource", "clonesets of apps.kruise.io stands above already"),
        ("templates[3].kind", "CloneSet of apps.kruise.io stands above already"),
    ]


NAMESPACES = {
    "kube-system": True, "123": True, "true": True, "1e3": True, "x" * 63: True, "batch-*": True,
    "*": True, "b?tch": True, "[a-z]*": True, "[!a]b": True, "team-[0-9][0-9]": True,
    "Kube_System": False, "": False, "x" * 64: False, "kube.system": False, "-a": False,
    "a-": False, "a b": False, "~": False, "Batch-*": False, "batch_*": False, "a[": False,
    "[]a": False, "[": False, "a]": False, "x" * 253 + "*": False, "a\n": False, "*\n": False,
    "!a": False, "ä": False,
}  # fmt: skip
NAMES = {
    "web": True, "web.1": True, "123": True, "x" * 253: True, "web-*": True, "[a-z.]*": True,
    "Web": False, "": False, "web_1": False, "x" * 254: False, "a/b": False, "web-*\n": False,
}  # fmt: skip
IMAGES = {
    "registry.corp.example/*": True, "r:5000/a@sha256:*": True, "*:V1_2": True, "[abc]*": True,
    "": False, "a b": False, "a\n": False, "ä/*": False, "x" * 513: False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "text", "taken"),
    [
        *[("namespaces", text, taken) for text, taken in NAMESPACES.items()],
        *[("names", text, taken) for text, taken in NAMES.items()],
        *[("images", text, taken) for text, taken in IMAGES.items()],
        *[("overrides", text, taken) for text, taken in NAMESPACES.items()],
        *[("eni", text, taken) for text, taken in NAMESPACES.items() if not set("*?[]!") & set(text)],
    ],
)  # fmt: skip
def test_a_glob_is_made_of_what_may_stand_in_what_it_matches(
    where: str,
    text: str,
    taken: bool,  # noqa: FBT001  # a table's column
) -> None:
    document: dict[str, Any] = dict(BASE)
    if where == "overrides":
        document["overrides"] = {"namespaces": [text]}
    elif where == "eni":
        document["eniConfig"] = {"namespace": text}
    else:
        document["rules"] = [{"name": "r", "placement": "cloud", "match": {where: [text]}}]

    found: list[Any] = []
    if taken:
        parse.parse(document)
    else:
        found = problems(document)
        assert all(fix for _, _, fix in found)
    assert bool(found) is not taken
    # `$` of Python's engine also stands before a last line break; those of JSON schemas do not.
    if not text.endswith("\n"):
        assert jsonschema.Draft202012Validator(parse.schema()).is_valid(document) is taken
