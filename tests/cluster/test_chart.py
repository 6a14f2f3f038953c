"""The chart's templates: what they refuse, and what they render."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests import chart_readme
from tests.cluster.chart import (
    CHART,
    SETS,
    hook_objects,
    hooks,
    hooks_of,
    objects,
    one,
    pod,
    rendered,
)
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.hooks import ENI_CONDITION, WORKLOAD_RULES
from webhook.admission import scope
from webhook.policy import catalogue, parse
from webhook.policy.words import Network, Placement

DEPLOYMENTS = ("hybrid-guard", "hybrid-guard-certs")


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_programs()


@pytest.mark.parametrize(
    ("values", "more", "why"),
    [
        ({}, (), "network is required"),
        ({}, (), "kubectl get ippools"),
        ({"network": "ipip"}, (), "network"),
        ({"network": "bgp", "servers": {}}, (), "servers"),
        ({"network": "bgp", "server": {"replica": 3}}, (), "replica"),
        ({"network": "bgp", "image": {"digest": "latest"}}, (), "digest"),
        ({"network": "host", "server": {"hostNetwork": False}}, (), "does not work with network: host"),
        ({"network": "bgp", "certificates": {"mode": "provided"}}, (), "certificates.secretName"),
        ({"network": "bgp"}, ("--kube-version", "1.27.9"), "1.28"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_the_reason(
    values: dict[str, Any], more: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=r"(?s).") as raised:
        rendered(values, *more)

    assert why in str(raised.value)


def test_it_belongs_into_kube_system() -> None:
    with pytest.raises(ValueError, match="belongs into kube-system"):
        rendered(SETS["bgp"], namespace="default")


def test_the_readme_is_what_the_values_say() -> None:
    readme = (CHART / "README.md").read_text()

    assert readme == chart_readme.text(), "run `make docs`"
    for group, content in yaml.safe_load((CHART / "values.yaml").read_text()).items():
        assert f"| `{group}" in readme
        for name in content if isinstance(content, dict) else ():
            assert f"| `{group}.{name}" in readme, f"{group}.{name} has no comment"


@pytest.mark.parametrize("name", SETS)
def test_two_renderings_are_the_same_bytes_without_a_ca_bundle_of_ours(name: str) -> None:
    first = rendered(SETS[name])

    assert rendered(SETS[name]) == first
    assert ("caBundle" in first) == (name == "provided")
    assert "lookup" not in "".join(file.read_text() for file in CHART.rglob("templates/**/*.*"))


@pytest.mark.parametrize("name", SETS)
def test_the_policy_it_mounts_is_one_that_the_server_takes(name: str) -> None:
    text = one(name, "ConfigMap", "hybrid-guard-policy")["data"]["policy.yaml"]
    policy = parse.parse(yaml.safe_load(text))
    given = SETS[name].get("policy", {})

    assert policy.network == SETS[name]["network"]
    assert policy.catalogue == given.get("catalogue", True)
    assert len(policy.rules) == len(given.get("rules", []))
    assert len(policy.kinds) == 8 + len(given.get("templates", []))


def test_the_catalogue_of_the_chart_is_the_servers() -> None:
    net = one("bgp", "ValidatingAdmissionPolicy", "hybrid-guard-safety-net")["spec"]
    cni = hooks("bgp", "Mutating")["mutate-cni"]
    by_side: dict[Placement, list[str]] = {Placement.ON_PREM: [], Placement.CLOUD: []}
    for addon in catalogue.CATALOGUE:
        names = (*addon.daemonsets, *addon.companions)
        by_side.get(addon.placement(Network.BGP), []).extend(n.replace("*", ".*") for n in names)

    def listed(expression: str) -> list[str]:
        return sorted(expression.split("^(")[1].split(")$", maxsplit=1)[0].split("|"))

    assert cni["namespaceSelector"]["matchExpressions"][0]["values"] == list(catalogue.NAMESPACES)
    on_prem, cloud = by_side[Placement.ON_PREM], by_side[Placement.CLOUD]
    assert listed(net["variables"][0]["expression"]) == sorted(on_prem)
    assert listed(net["matchConditions"][0]["expression"]) == sorted([*on_prem, *cloud])


def test_the_hooks_are_those_of_the_design() -> None:
    mutating, validating = hooks("everything", "Mutating"), hooks("everything", "Validating")
    names = ("cni", "workloads", "on-prem", "cloud", "pods", "pods-on-prem", "pods-cloud")

    assert list(mutating) == [f"mutate-{name}" for name in names]
    assert list(validating) == [*(f"validate-{name}" for name in names), "validate-eni-config"]
    for name in names:
        one_verb, other = mutating[f"mutate-{name}"], validating[f"validate-{name}"]
        for key in ("rules", "namespaceSelector", "matchConditions"):
            assert one_verb.get(key) == other.get(key), "what one injects the other judges"
    eni = validating.pop("validate-eni-config")
    assert (eni["failurePolicy"], eni["timeoutSeconds"]) == ("Fail", 5)
    assert eni["matchConditions"][0]["expression"] == ENI_CONDITION
    for hook in (*mutating.values(), *validating.values()):
        assert (hook["failurePolicy"], hook["timeoutSeconds"]) == ("Ignore", 3)
        assert (hook["sideEffects"], hook["matchPolicy"]) == ("None", "Equivalent")
        assert ("matchConditions" in hook) == ("pods" in hook["name"])
    for side in ("on-prem", "cloud"):
        assert path(mutating[f"mutate-{side}"]) == path(mutating[f"mutate-pods-{side}"])
        assert path(mutating[f"mutate-{side}"]) == f"/mutate/{side}"
        assert path(validating[f"validate-{side}"]) == f"/validate/{side}"
    assert path(mutating["mutate-workloads"]) == "/mutate"


def path(hook: dict[str, Any]) -> str:
    return str(hook["clientConfig"]["service"]["path"])


UNLABELLED = ("hybrid-guard.io/placement", "NotIn", ["on-prem", "cloud"])
NAME = "kubernetes.io/metadata.name"
RULE = {"name": "r", "placement": "on-prem"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, {"cni": [(NAME, "In", "catalogue"), UNLABELLED], "workloads": None, "pods": None}),
        (
            {"rules": [{**RULE, "match": {"namespaces": ["b", "a", "kube-system"]}}]},
            {
                "cni": [(NAME, "In", "catalogue"), UNLABELLED],
                "workloads": [(NAME, "In", ["a", "b"]), UNLABELLED],
                "pods": [(NAME, "In", ["a", "b", "kube-system"]), UNLABELLED],
            },
        ),
        (
            {"rules": [{**RULE, "match": {"namespaces": ["kube-system"]}}]},
            {"workloads": None, "pods": [(NAME, "In", ["kube-system"]), UNLABELLED]},
        ),
        (
            {"rules": [{**RULE, "match": {"namespaces": ["a", "batch-*"]}}]},
            {"workloads": [(NAME, "NotIn", "catalogue"), UNLABELLED], "pods": [UNLABELLED]},
        ),
        ({"rules": [RULE]}, {"workloads": [(NAME, "NotIn", "catalogue"), UNLABELLED]}),
        (
            {"rules": [{**RULE, "match": {"namespaces": ["a"]}}], "overrides": {"namespaces": ["c"]}},
            {"workloads": [(NAME, "In", ["a", "c"]), UNLABELLED]},
        ),
        ({"overrides": {"namespaces": ["*"]}}, {"workloads": [(NAME, "NotIn", "catalogue"), UNLABELLED]}),
        (
            {"catalogue": False, "rules": [{**RULE, "match": {"namespaces": ["kube-system"]}}]},
            {"cni": None, "workloads": [(NAME, "In", ["kube-system"]), UNLABELLED]},
        ),
        ({"catalogue": False, "rules": [RULE]}, {"workloads": [UNLABELLED]}),
        ({}, {"on-prem": [("hybrid-guard.io/placement", "In", ["on-prem"])]}),
        ({}, {"pods-cloud": [("hybrid-guard.io/placement", "In", ["cloud"])]}),
    ],
    ids=lambda value: None if "cni" in value else str(value),
)  # fmt: skip
def test_hooks_look_into_the_namespaces_that_policy_speaks_of(
    policy: dict[str, Any], expected: dict[str, Any]
) -> None:
    values = {"network": "bgp", "policy": policy, "webhooks": {"pods": True}}
    found = hooks_of(yaml.safe_load_all(rendered(values)), "Mutating")

    for name, wanted in expected.items():
        hook = found.get(f"mutate-{name}")
        selector = hook and [
            (e["key"], e["operator"], "catalogue" if len(e["values"]) > 3 else e["values"])
            for e in hook["namespaceSelector"]["matchExpressions"]
        ]
        assert selector == wanted, name


def test_the_hooks_match_the_kinds_that_policy_speaks_of() -> None:
    found = hooks("everything", "Mutating")
    kinds = {rule["apiGroups"][0]: rule["resources"] for rule in found["mutate-cni"]["rules"]}

    assert kinds.pop("apps.kruise.io") == ["clonesets"]
    assert kinds == {rule["apiGroups"][0]: rule["resources"] for rule in WORKLOAD_RULES}
    (pods,) = found["mutate-pods"]["rules"]
    assert (pods["resources"], pods["operations"]) == (["pods"], ["CREATE"])


def test_eni_config_is_the_one_that_policy_names() -> None:
    values = {"network": "bgp", "policy": {"eniConfig": {"namespace": "net", "name": "eni"}}}
    found = list(yaml.safe_load_all(rendered(values)))
    hook = hooks_of(found, "Validating")["validate-eni-config"]
    (mounted,) = (o["data"]["policy.yaml"] for o in found if o and o["kind"] == "ConfigMap")

    assert hook["namespaceSelector"] == {"matchLabels": {NAME: "net"}}
    assert hook["matchConditions"][0]["expression"] == ENI_CONDITION.replace("eni-config", "eni")
    eni = parse.parse(yaml.safe_load(mounted)).eni
    assert (eni.namespace, eni.name, eni.credentials) == ("net", "eni", "inline")


def test_the_server_has_no_rights_and_the_rotator_named_ones_only() -> None:
    found = objects("bgp")
    accounts = {o["metadata"]["name"]: o for o in found if o["kind"] == "ServiceAccount"}
    bound = {subject["name"] for o in found for subject in o.get("subjects", ())}
    rules = [rule for o in found if o["kind"] in ("Role", "ClusterRole") for rule in o["rules"]]

    assert accounts["hybrid-guard"]["automountServiceAccountToken"] is False
    assert bound == {"hybrid-guard-certs"}
    for rule in rules:
        if rule["resources"] == ["endpointslices"]:
            assert rule["verbs"] == ["get", "list"]
        else:
            assert set(rule["verbs"]) == {"get", "update", "patch"}
            assert rule["resourceNames"]
    assert pod("provided")["automountServiceAccountToken"] is False
    assert not any(o["metadata"]["name"] == "hybrid-guard-certs" for o in objects("provided"))


def test_the_server_never_judges_the_guards_own_objects() -> None:
    found = (*objects("bgp"), *hook_objects("bgp"))
    named = {
        (o["metadata"]["namespace"], o["metadata"]["name"])
        for o in found
        if o["kind"] in ("Deployment", "Pod")
    }

    assert named == scope.OWN_OBJECTS


def test_helm_test_leaves_nothing_and_its_account_may_only_try() -> None:
    found = hook_objects("bgp")
    rules = [rule for o in found if o["kind"] == "Role" for rule in o["rules"]]
    (pod_of_it,) = (o for o in found if o["kind"] == "Pod")

    for obj in found:
        notes = obj["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "test"
        policies = notes["helm.sh/hook-delete-policy"].split(",")
        assert sorted(policies) == ["before-hook-creation", "hook-failed", "hook-succeeded"]
    assert {(*rule["resources"], *rule["verbs"]) for rule in rules} == {
        ("services/proxy", "get"), ("daemonsets", "create"), ("configmaps", "create"),
    }  # fmt: skip
    weights = {o["kind"]: int(o["metadata"]["annotations"]["helm.sh/hook-weight"]) for o in found}
    assert weights["ValidatingAdmissionPolicyBinding"] < weights["RoleBinding"] < weights["Pod"]
    server = one("bgp", "Service")["spec"]["selector"]
    assert not server.items() <= pod_of_it["metadata"]["labels"].items(), "no server"
    assert not any(o["kind"].startswith("Validating") for o in hook_objects_before_1_30())


def hook_objects_before_1_30() -> list[dict[str, Any]]:
    text = rendered(
        SETS["overlay"], "--kube-version", "1.29.9", "--show-only", "templates/tests/probe.yaml"
    )
    return [obj for obj in yaml.safe_load_all(text) if obj]


@pytest.mark.parametrize("called", DEPLOYMENTS)
@pytest.mark.parametrize("name", ["bgp", "host"])
def test_pods_run_with_as_little_as_they_need(name: str, called: str) -> None:
    spec = pod(name, called)
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["priorityClassName"] == "system-cluster-critical"
    assert required["nodeSelectorTerms"][0]["matchExpressions"][0] == {
        "key": "alibabacloud.com/external",
        "operator": "NotIn",
        "values": ["true"],
    }


NO_NETWORK = [
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists"},
    {"key": "node.kubernetes.io/network-unavailable", "operator": "Exists"},
]


@pytest.mark.parametrize("called", DEPLOYMENTS)
@pytest.mark.parametrize("name", ["host", "everything"])
def test_on_the_nodes_network_pods_come_up_before_it_is_ready_one_a_node(
    name: str, called: str
) -> None:
    spec, selector = pod(name, called), one(name, "Deployment", called)["spec"]["selector"]

    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "Default")
    assert spec["tolerations"][-2:] == NO_NETWORK
    assert spec["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ] == [{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}]
    strategy = one(name, "Deployment", called)["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxUnavailable": 1, "maxSurge": 0}
    assert pod(name)["containers"][0]["ports"][0]["containerPort"] == 19443


@pytest.mark.parametrize("called", DEPLOYMENTS)
def test_on_a_pod_network_pods_spread_and_an_update_adds_one_first(called: str) -> None:
    spec, deployment = pod("bgp", called), one("bgp", "Deployment", called)["spec"]

    assert "hostNetwork" not in spec
    assert "podAntiAffinity" not in spec["affinity"]
    assert spec["topologySpreadConstraints"][0]["labelSelector"] == deployment["selector"]
    assert {t.get("effect") for t in spec["tolerations"][:2]} == {"NoSchedule"}
    assert not [t for t in spec["tolerations"] if t in NO_NETWORK]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_one_on_prem_node_is_enough_for_one_of_each() -> None:
    values = {"network": "host", "server": {"replicas": 1}}
    found = yaml.safe_load_all(rendered(values))

    assert [o["spec"]["replicas"] for o in found if o and o["kind"] == "Deployment"] == [1, 1]


def test_the_safety_net_is_rendered_where_the_api_server_knows_it() -> None:
    net = "name: hybrid-guard-safety-net"

    assert net not in rendered(SETS["bgp"], "--kube-version", "1.29.9")
    assert net in rendered(SETS["bgp"], "--kube-version", "1.30.0")
    for name in ("overlay", "host", "no catalogue"):
        assert net not in rendered(SETS[name])


def test_the_startup_probe_leaves_time_to_wait_for_the_pair_and_to_start() -> None:
    container = pod("bgp")["containers"][0]
    (wait,) = (a for a in container["command"] if a.startswith("--cert-wait="))
    probe = container["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] >= int(wait.split("=")[1]) + 20
