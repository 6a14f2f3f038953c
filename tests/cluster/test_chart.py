"""The chart's templates: what they refuse, and what they render."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml

from tests import chart_readme, chart_safety_net, chart_schema
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
from tests.conftest import ROOT, scaled
from tests.safety_net import oracle, policies
from webhook.admission import scope
from webhook.policy import catalogue, parse, safety_net

DEPLOYMENTS = ("hybrid-guard", "hybrid-guard-certs")


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_programs()


@pytest.mark.parametrize(
    ("values", "more", "why"),
    [
        ({}, (), "network is required"),
        ({}, (), "kubectl get ippools"),
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


CLONE_SET = {"apiGroup": "apps.kruise.io", "apiVersions": ["v1"], "resource": "clonesets", "kind": "CloneSet", "path": "/spec/template"}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("apiGroup", ""), ("apiGroup", "apps"), ("apiGroup", "*"), ("apiGroup", "coordination.k8s.io"),
        ("resource", "*"), ("resource", "*/*"), ("resource", "pods"), ("resource", "leases"),
        ("resource", "nodes"), ("resource", "clonesets/scale"), ("resource", "CloneSets"),
        ("kind", "DaemonSet"), ("kind", "*"),
    ],
)  # fmt: skip
def test_no_template_makes_a_hook_on_what_kubernetes_writes(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"/policy/templates/0/{field}"):
        rendered({"network": "bgp", "policy": {"templates": [{**CLONE_SET, field: value}]}})


@pytest.mark.parametrize("other", [{"kind": "Clone"}, {"resource": "clones"}])
def test_a_template_that_stands_twice_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"policy.templates\[1\].*stands above already"):
        rendered({"network": "bgp", "policy": {"templates": [CLONE_SET, {**CLONE_SET, **other}]}})


RULED = {"name": "r", "placement": "on-prem"}


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"network": "ipip"}, "/network"),
        ({"servers": {}}, "'servers' not allowed"),
        ({"server": {"replica": 3}}, "'replica' not allowed"),
        ({"server": {"replicas": 0}}, "/server/replicas"),
        ({"server": {"port": 443}}, "/server/port"),
        ({"server": {"resources": {"request": {}}}}, "'request' not allowed"),
        ({"server": {"podLabels": {"app.kubernetes.io/component": "x"}}}, "app.kubernetes.io/component"),
        ({"server": None}, "missing property 'server'"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"image": {"pullPolicy": "always"}}, "/image/pullPolicy"),
        ({"image": {"tag": 1.0}}, "/image/tag"),
        ({"certificates": {"mode": "self-signed"}}, "/certificates/mode"),
        ({"certificates": {"caBundle": "LS0tLS1CRUdJTg=="}}, "/certificates/caBundle"),
        ({"certificates": {"issuerRef": {"nam": "x"}}}, "'nam' not allowed"),
        ({"webhooks": {"timeoutSeconds": 30}}, "/webhooks/timeoutSeconds"),
        ({"monitoring": {"serviceMonitor": {"interval": "30"}}}, "/monitoring/serviceMonitor/interval"),
        ({"cloudNodes": {"values": []}}, "/cloudNodes/values"),
        ({"cloudNodes": {"key": "a'b"}}, "/cloudNodes/key"),
        ({"policy": {"rules": [{**RULED, "placemnt": "cloud"}]}}, "'placemnt' not allowed"),
        ({"policy": {"rules": [{"name": "r"}]}}, "missing property 'placement'"),
        ({"policy": {"rules": [{**RULED, "placement": "onprem"}]}}, "/policy/rules/0/placement"),
        ({"policy": {"rules": [{**RULED, "match": {"namespace": ["a"]}}]}}, "'namespace' not allowed"),
        ({"policy": {"rules": [{**RULED, "weight": 0}]}}, "/policy/rules/0/weight"),
        ({"policy": {"rules": None}}, "missing property 'rules'"),
        ({"policy": {"defaults": {"onUpdate": "never"}}}, "/policy/defaults/onUpdate"),
        ({"policy": {"templates": [{"kind": "CloneSet"}]}}, "/policy/templates/0"),
        ({"policy": {"overrides": {"label": "a b"}}}, "/policy/overrides/label"),
        ({"policy": {"eniConfig": {"credentials": "secret"}}}, "/policy/eniConfig/credentials"),
        ({"policy": {"eniConfig": {"name": "Eni'"}}}, "/policy/eniConfig/name"),
        ({"policy": {"network": "bgp"}}, "'network' not allowed"),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_is_wrong_is_refused_where_it_stands(
    values: dict[str, Any], where: str
) -> None:
    with pytest.raises(ValueError, match="values don't meet the specifications") as raised:
        rendered({"network": "bgp", **values})

    assert where in str(raised.value)


def test_credentials_may_be_off_without_quotes() -> None:
    text = rendered({"network": "bgp", "policy": {"eniConfig": {"credentials": False}}})

    assert parse.parse(mounted(text)).eni.credentials == "off"


def mounted(text: str) -> dict[str, Any]:
    """Return the policy among what was rendered."""
    found = (o for o in yaml.safe_load_all(text) if o and o["kind"] == "ConfigMap")
    (policy,) = (o for o in found if o["metadata"]["name"] == "hybrid-guard-policy")
    document: dict[str, Any] = yaml.safe_load(policy["data"]["policy.yaml"])
    return document


def test_a_whole_policy_fits_into_the_values() -> None:
    written = yaml.safe_load((ROOT / "examples" / "policy.yaml").read_text())
    values = {key: written.pop(key) for key in ("network", "cloudNodes") if key in written}
    policy = {key: part for key, part in written.items() if key not in ("apiVersion", "kind")}
    text = rendered({**values, "policy": policy})

    assert policy["rules"]
    assert mounted(text)["rules"] == policy["rules"]


def test_the_schema_takes_for_a_policy_what_the_server_takes() -> None:
    assert chart_schema.FILE.read_text() == chart_schema.text(), "run `make docs`"


def test_the_schema_is_closed_and_names_every_value() -> None:
    schema = json.loads(chart_schema.FILE.read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def check(part: dict[str, Any], value: dict[str, Any], path: str) -> None:
        assert part.get("additionalProperties") is False, path
        for name, inner in value.items():
            known = part["properties"][name]
            if ref := known.get("$ref"):
                known = schema[ref.split("/")[1]][ref.split("/")[2]]
            if isinstance(inner, dict) and "properties" in known:
                check(known, inner, f"{path}.{name}")

    check(schema, values, "values")


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

    for selector in (cni["namespaceSelector"], net["matchConstraints"]["namespaceSelector"]):
        assert selector["matchExpressions"][0]["values"] == list(catalogue.NAMESPACES)


def test_the_safety_net_is_the_one_that_its_function_makes() -> None:
    assert chart_safety_net.FILE.read_text() == chart_safety_net.text(), "run `make docs`"


def test_helm_makes_of_each_policy_the_safety_net_that_the_function_makes(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # generated cases, nothing secret
    marks = [{"key": "a/b", "values": ["x", "y"]}, {"key": "external", "values": ["06", ""]}]
    for parts in policies.generated(rng, scaled(200)):
        cloud = rng.choice(marks)
        written = oracle.document(cloudNodes=cloud, **parts)
        made = safety_net.expressions(safety_net.of_policy(written))
        text = rendered(
            {"network": "bgp", "cloudNodes": cloud, "policy": parts},
            "--show-only",
            "templates/safety-net.yaml",
        )
        (net, _) = yaml.safe_load_all(text)

        for key, wanted in (("matchConditions", made.conditions), ("variables", made.variables)):
            found = {each["name"]: words(each["expression"]) for each in net["spec"][key]}
            assert found == {each.name: words(each.expression) for each in wanted}, parts
        (validation,) = net["spec"]["validations"]
        assert words(validation["expression"]) == words(made.validation)
        assert words(validation["messageExpression"]) == words(made.message)


def words(expression: str) -> str:
    """Return an expression without the spaces and lines that it may be written in."""
    return "".join(expression.split())


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

    assert kinds == {rule["apiGroups"][0]: rule["resources"] for rule in WORKLOAD_RULES}
    (pods,) = found["mutate-pods"]["rules"]
    assert (pods["resources"], pods["operations"]) == (["pods"], ["CREATE"])


def test_eni_config_is_the_one_that_policy_names() -> None:
    values = {"network": "bgp", "policy": {"eniConfig": {"namespace": "net", "name": "eni"}}}
    text = rendered(values)
    hook = hooks_of(yaml.safe_load_all(text), "Validating")["validate-eni-config"]

    assert hook["namespaceSelector"] == {"matchLabels": {NAME: "net"}}
    assert hook["matchConditions"][0]["expression"] == ENI_CONDITION.replace("eni-config", "eni")
    eni = parse.parse(mounted(text)).eni
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
            assert rule["verbs"] == ["list"]
        else:
            assert rule["verbs"] == ["get", "patch"]
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


def test_helm_test_leaves_nothing_and_its_account_has_no_right_to_create() -> None:
    found = hook_objects("bgp")
    rules = [rule for o in found if o["kind"] == "Role" for rule in o["rules"]]
    tried = ["hybrid-guard-probe"]
    (pod_of_it,) = (o for o in found if o["kind"] == "Pod")

    for obj in found:
        notes = obj["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "test"
        policies = notes["helm.sh/hook-delete-policy"].split(",")
        assert sorted(policies) == ["before-hook-creation", "hook-failed", "hook-succeeded"]
    assert [(*rule["resources"], *rule["verbs"], rule["resourceNames"]) for rule in rules] == [
        ("services/proxy", "get", ["https:hybrid-guard:https"]),
        ("daemonsets", "patch", tried),
        ("configmaps", "patch", tried),
    ]
    assert [o["metadata"]["name"] for o in found if o["kind"] == "ConfigMap"] == tried
    assert not [o for o in found if o["kind"] == "DaemonSet"], "the one it tries is never there"
    weights = {o["kind"]: int(o["metadata"]["annotations"]["helm.sh/hook-weight"]) for o in found}
    assert max(weight for kind, weight in weights.items() if kind != "Pod") < weights["Pod"]
    server = one("bgp", "Service")["spec"]["selector"]
    assert not server.items() <= pod_of_it["metadata"]["labels"].items(), "no server"


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


def test_the_image_is_the_one_that_values_name() -> None:
    values = {
        "network": "bgp",
        "image": {
            "repository": "registry.example/guard", "tag": "1.2", "pullPolicy": "Always",
            "pullSecrets": [{"name": "pull"}],
        },
    }  # fmt: skip
    found = [o for o in yaml.safe_load_all(rendered(values)) if o]
    specs = [o["spec"]["template"]["spec"] for o in found if o["kind"] == "Deployment"]
    specs += [o["spec"] for o in found if o["kind"] == "Pod"]

    assert len(specs) == 3
    for spec in specs:
        (container,) = spec["containers"]
        assert (container["image"], container["imagePullPolicy"]) == (
            "registry.example/guard:1.2",
            "Always",
        )
        assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert pod("everything")["containers"][0]["image"] == f"hybrid-guard@sha256:{'0' * 64}"


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
