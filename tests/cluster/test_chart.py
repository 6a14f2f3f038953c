"""The chart's templates: what they refuse, and what they render."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests import chart_readme
from tests.cluster.chart import CHART, SETS, hooks, objects, one, pod, rendered
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
    assert "lookup" not in "".join(file.read_text() for file in CHART.glob("templates/*"))


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
    sides = ("cni", "workloads", "on-prem", "cloud")

    assert list(mutating) == [*(f"mutate-{name}" for name in sides), "mutate-pods"]
    assert list(validating) == [*(f"validate-{name}" for name in sides), "validate-eni-config"]
    eni = validating.pop("validate-eni-config")
    assert (eni["failurePolicy"], eni["timeoutSeconds"]) == ("Fail", 5)
    assert eni["matchConditions"][0]["expression"] == ENI_CONDITION
    for hook in (*mutating.values(), *validating.values()):
        assert (hook["failurePolicy"], hook["timeoutSeconds"]) == ("Ignore", 3)
    for hook in (*mutating.values(), *validating.values(), eni):
        assert (hook["sideEffects"], hook["matchPolicy"]) == ("None", "Equivalent")
    assert mutating["mutate-on-prem"]["clientConfig"]["service"]["path"] == "/mutate/on-prem"
    assert validating["validate-cloud"]["clientConfig"]["service"]["path"] == "/validate/cloud"


def test_the_hooks_match_the_kinds_and_namespaces_that_policy_speaks_of() -> None:
    mutating = hooks("everything", "Mutating")
    plain = {rule["apiGroups"][0]: rule["resources"] for rule in mutating["mutate-cni"]["rules"]}
    chosen = mutating["mutate-workloads"]["namespaceSelector"]["matchExpressions"]
    globs = hooks("globs", "Mutating")["mutate-workloads"]["namespaceSelector"]["matchExpressions"]

    assert plain.pop("apps.kruise.io") == ["clonesets"]
    assert plain == {rule["apiGroups"][0]: rule["resources"] for rule in WORKLOAD_RULES}
    assert [(e["operator"], e["values"]) for e in chosen[1:]] == [
        ("In", ["batch-a", "batch-b"]),
        ("NotIn", ["on-prem", "cloud"]),
    ]
    assert "In" not in [expression["operator"] for expression in globs]
    assert "mutate-cni" not in hooks("no catalogue", "Mutating")


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
    named = {
        (o["metadata"]["namespace"], o["metadata"]["name"])
        for o in objects("bgp")
        if o["kind"] == "Deployment"
    }

    assert named == scope.OWN_OBJECTS


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
    assert spec.get("hostNetwork", False) == (name == "host")
    tolerated = {toleration["key"] for toleration in spec["tolerations"]}
    assert ("node.kubernetes.io/network-unavailable" in tolerated) == (name == "host")


def test_on_the_nodes_network_an_old_pod_goes_before_its_port_is_taken_again() -> None:
    strategy = one("host", "Deployment")["spec"]["strategy"]["rollingUpdate"]

    assert strategy == {"maxUnavailable": 1, "maxSurge": 0}
