"""The chart: what it refuses, what it renders, and the real API server's word on all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests import chart_readme
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane import hooks, programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from webhook.policy import catalogue, parse
from webhook.policy.words import Network, Placement

CHART = ROOT / "charts" / "hybrid-guard"
FOREIGN = ("cert-manager.io/v1", "monitoring.coreos.com/v1")
SETS: dict[str, dict[str, Any]] = {
    "bgp": {"network": "bgp"},
    "overlay": {"network": "overlay"},
    "host": {"network": "host"},
    "everything": {
        "network": "bgp",
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": [{"name": "pull"}]},
        "server": {
            "autoscaling": {"enabled": True}, "podLabels": {"team": "net"}, "podAnnotations": {"a": "b"},
            "hostNetwork": True,
        },
        "webhooks": {"pods": True},
        "monitoring": {"serviceMonitor": {"enabled": True, "labels": {"x": "y"}}, "prometheusRule": {"enabled": True}},
        "policy": {
            "rules": [{"name": "home", "match": {"kinds": ["Deployment"], "namespaces": ["batch-a", "batch-b"]}, "placement": "on-prem"}],
            "templates": [{"apiGroup": "apps.kruise.io", "apiVersions": ["v1alpha1"], "resource": "clonesets", "kind": "CloneSet", "path": "/spec/template"}],
            "eniConfig": {"credentials": "secret-or-inline", "installers": ["system:serviceaccount:kube-system:console"]},
        },
    },
    "cert-manager": {"network": "bgp", "certificates": {"mode": "cert-manager"}},
    "provided": {"network": "bgp", "certificates": {"mode": "provided", "secretName": "mine", "caBundle": "PEM"}},
    "globs": {"network": "overlay", "policy": {"rules": [{"name": "g", "match": {"namespaces": ["batch-*"]}, "placement": "on-prem"}]}},
    "no catalogue": {"network": "bgp", "policy": {"catalogue": False}},
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_programs()


def helm(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    program = programs.require("helm")["helm"]
    return subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def rendered(values: dict[str, Any], *more: str, namespace: str = "kube-system") -> str:
    done = helm(
        "template",
        "guard",
        str(CHART),
        "--namespace",
        namespace,
        "-f",
        "-",
        *more,
        stdin=json.dumps(values),
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


def objects(name: str) -> list[dict[str, Any]]:
    return [obj for obj in yaml.safe_load_all(rendered(SETS[name])) if obj]


def one(name: str, kind: str, called: str = "hybrid-guard") -> dict[str, Any]:
    return next(o for o in objects(name) if o["kind"] == kind and o["metadata"]["name"] == called)


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


def test_the_readme_is_what_the_values_say() -> None:
    readme = (CHART / "README.md").read_text()

    assert readme == chart_readme.text(), "run `make docs`"
    for group, content in yaml.safe_load((CHART / "values.yaml").read_text()).items():
        assert f"| `{group}" in readme
        for name in content if isinstance(content, dict) else ():
            assert f"| `{group}.{name}" in readme, f"{group}.{name} has no comment"


def test_it_belongs_into_kube_system() -> None:
    with pytest.raises(ValueError, match="belongs into kube-system"):
        rendered(SETS["bgp"], namespace="default")


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

    assert policy.network == SETS[name]["network"]
    assert policy.catalogue == SETS[name].get("policy", {}).get("catalogue", True)
    assert len(policy.rules) == len(SETS[name].get("policy", {}).get("rules", []))
    assert len(policy.kinds) == 8 + len(SETS[name].get("policy", {}).get("templates", []))


def test_the_catalogue_of_the_chart_is_the_servers() -> None:
    net = one("bgp", "ValidatingAdmissionPolicy", "hybrid-guard-safety-net")["spec"]
    cni = next(
        h
        for h in one("bgp", "MutatingWebhookConfiguration")["webhooks"]
        if h["name"].startswith("mutate-cni")
    )
    by_side: dict[Placement, list[str]] = {Placement.ON_PREM: [], Placement.CLOUD: []}
    for addon in catalogue.CATALOGUE:
        placement = addon.placement(Network.BGP)
        if placement in by_side:
            by_side[placement] += [
                name.replace("*", ".*") for name in (*addon.daemonsets, *addon.companions)
            ]

    assert cni["namespaceSelector"]["matchExpressions"][0]["values"] == list(catalogue.NAMESPACES)
    on_prem = net["variables"][0]["expression"].split("^(")[1].split(")$")[0].split("|")
    known = net["matchConditions"][0]["expression"].split("^(")[1].split(")$")[0].split("|")
    assert sorted(on_prem) == sorted(by_side[Placement.ON_PREM])
    assert sorted(known) == sorted([*by_side[Placement.ON_PREM], *by_side[Placement.CLOUD]])


def test_the_hooks_are_those_of_the_design() -> None:
    mutating = {
        h["name"].split(".")[0]: h
        for h in one("everything", "MutatingWebhookConfiguration")["webhooks"]
    }
    validating = {
        h["name"].split(".")[0]: h
        for h in one("everything", "ValidatingWebhookConfiguration")["webhooks"]
    }

    assert list(mutating) == [
        "mutate-cni",
        "mutate-workloads",
        "mutate-on-prem",
        "mutate-cloud",
        "mutate-pods",
    ]
    assert list(validating) == [
        "validate-cni",
        "validate-workloads",
        "validate-on-prem",
        "validate-cloud",
        "validate-eni-config",
    ]
    assert {h["failurePolicy"] for h in mutating.values()} == {"Ignore"}
    assert {h["timeoutSeconds"] for h in mutating.values()} == {3}
    eni = validating.pop("validate-eni-config")
    assert (eni["failurePolicy"], eni["timeoutSeconds"]) == ("Fail", 5)
    assert eni["matchConditions"][0]["expression"] == hooks.ENI_CONDITION
    assert {h["failurePolicy"] for h in validating.values()} == {"Ignore"}
    assert mutating["mutate-on-prem"]["clientConfig"]["service"]["path"] == "/mutate/on-prem"
    assert validating["validate-cloud"]["clientConfig"]["service"]["path"] == "/validate/cloud"
    assert all(
        h["sideEffects"] == "None" and h["matchPolicy"] == "Equivalent"
        for h in (*mutating.values(), eni)
    )
    chosen = mutating["mutate-workloads"]["namespaceSelector"]["matchExpressions"]
    assert [(e["operator"], e["values"]) for e in chosen[1:]] == [
        ("In", ["batch-a", "batch-b"]),
        ("NotIn", ["on-prem", "cloud"]),
    ]
    plain = {r["apiGroups"][0]: r["resources"] for r in mutating["mutate-cni"]["rules"]}
    assert {g: plain[g] for g in ("apps", "batch", "")} == {
        r["apiGroups"][0]: r["resources"] for r in hooks.WORKLOAD_RULES
    }
    assert plain["apps.kruise.io"] == ["clonesets"]
    workloads = next(
        h
        for h in one("globs", "MutatingWebhookConfiguration")["webhooks"]
        if "workloads" in h["name"]
    )
    assert "In" not in [e["operator"] for e in workloads["namespaceSelector"]["matchExpressions"]]
    without = [h["name"] for h in one("no catalogue", "MutatingWebhookConfiguration")["webhooks"]]
    assert not any("cni" in name for name in without)


def test_the_server_has_no_rights_and_the_rotator_named_ones_only() -> None:
    found = objects("bgp")
    accounts = {o["metadata"]["name"]: o for o in found if o["kind"] == "ServiceAccount"}
    bound = [
        s["name"]
        for o in found
        if o["kind"].endswith("Binding") and "subjects" in o
        for s in o["subjects"]
    ]
    rules = [rule for o in found if o["kind"] in ("Role", "ClusterRole") for rule in o["rules"]]

    assert accounts["hybrid-guard"]["automountServiceAccountToken"] is False
    assert set(bound) == {"hybrid-guard-certs"}
    for rule in rules:
        if rule["resources"] == ["endpointslices"]:
            assert rule["verbs"] == ["get", "list"]
        else:
            assert set(rule["verbs"]) == {"get", "update", "patch"}
            assert rule["resourceNames"]
    assert (
        one("provided", "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"]
        is False
    )
    assert not any(o["metadata"]["name"] == "hybrid-guard-certs" for o in objects("provided"))


@pytest.mark.parametrize("name", ["bgp", "host"])
def test_pods_run_with_as_little_as_they_need(name: str) -> None:
    for called in ("hybrid-guard", "hybrid-guard-certs"):
        spec = one(name, "Deployment", called)["spec"]["template"]["spec"]
        container = spec["containers"][0]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert spec["priorityClassName"] == "system-cluster-critical"
        assert spec.get("hostNetwork", False) == (name == "host")
        terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
            "nodeSelectorTerms"
        ]
        assert terms[0]["matchExpressions"][0] == {
            "key": "alibabacloud.com/external",
            "operator": "NotIn",
            "values": ["true"],
        }
        tolerated = {t["key"] for t in spec["tolerations"]}
        assert ("node.kubernetes.io/network-unavailable" in tolerated) == (name == "host")
    strategy = one("host", "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxUnavailable": 1, "maxSurge": 0}


@pytest.mark.parametrize("name", SETS)
def test_the_api_server_accepts_every_object(api_server: ControlPlane, name: str) -> None:
    ours = [obj for obj in objects(name) if obj["apiVersion"] not in FOREIGN]
    text = yaml.safe_dump_all(ours)

    done = api_server.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == len(ours)


DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"


@pytest.fixture
def netted(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """An API server with the safety net alone, in force."""
    net = [o for o in objects("bgp") if o["kind"].startswith("ValidatingAdmissionPolicy")]
    api_server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(net))
    assert api_server.raw("POST", DAEMONSETS, daemonset("weave-net", pinned())).status == 201
    bare = daemonset("weave-net")
    api_server.until(
        lambda: (
            api_server.raw("PUT", f"{DAEMONSETS}/weave-net?dryRun=All", bare).status == 403 or None
        ),
        "the safety net to be in force",
    )
    yield api_server
    for obj in net:
        api_server.kubectl("delete", obj["kind"], obj["metadata"]["name"])
    for item in api_server.raw("GET", DAEMONSETS).json()["items"]:
        api_server.raw("DELETE", f"{DAEMONSETS}/{item['metadata']['name']}")


def pinned(**expression: Any) -> dict[str, Any]:
    term = {
        "key": "alibabacloud.com/external",
        "operator": "NotIn",
        "values": ["true"],
        **expression,
    }
    term = {key: value for key, value in term.items() if value is not None}
    required = {"nodeSelectorTerms": [{"matchExpressions": [term]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def daemonset(name: str, affinity: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": "i"}]}
    if affinity:
        spec["affinity"] = affinity
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, **metadata},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip


def test_with_the_guard_down_a_pin_stays_on_a_known_add_on(netted: ControlPlane) -> None:
    def put(obj: dict[str, Any]) -> tuple[int, str]:
        answer = netted.raw("PUT", f"{DAEMONSETS}/{obj['metadata']['name']}", obj)
        return answer.status, str(answer.json().get("message", ""))

    for name in ("calico-node", "calico-windows", "terway-eniip", "kube-flannel-ds-amd64"):
        affinity = pinned(operator="In") if name == "terway-eniip" else pinned()
        assert netted.raw("POST", DAEMONSETS, daemonset(name, affinity)).status == 201, (
            "a CREATE is free"
        )

    status, message = put(daemonset("calico-node"))
    assert status == 403
    assert "HG107 this update takes the pin to on-prem nodes off calico-node" in message
    assert put(daemonset("calico-node", pinned(operator="Exists", values=None)))[0] == 403
    assert put(daemonset("kube-flannel-ds-amd64"))[0] == 403
    assert put(daemonset("terway-eniip"))[0] == 403
    assert put(daemonset("terway-eniip", pinned()))[0] == 403
    assert put(daemonset("calico-windows"))[0] == 200, "not a name of the catalogue"
    assert put(daemonset("calico-node", pinned(), labels={"a": "b"}))[0] == 200
    assert put(daemonset("calico-node", pinned(operator="DoesNotExist", values=None)))[0] == 200, (
        "another way to say it"
    )
    netted.kubectl("-n", "kube-system", "annotate", "daemonset", "terway-eniip", "a=b")
    assert netted.raw("POST", DAEMONSETS, daemonset("antrea-agent")).status == 201
    assert put(daemonset("antrea-agent", labels={"a": "b"}))[0] == 200, "it never had a pin"
    netted.kubectl(
        "-n",
        "kube-system",
        "delete",
        "daemonset",
        "terway-eniip",
        "--cascade=foreground",
        "--wait=false",
    )


SERVER, ROTATOR = (
    f"system:serviceaccount:kube-system:{name}" for name in ("hybrid-guard", "hybrid-guard-certs")
)
ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
SECRETS = "/api/v1/namespaces/kube-system/secrets"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
KINDS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret", "Lease",
         "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")  # fmt: skip


@pytest.fixture
def identities(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """What the chart renders, but for the pods: nothing answers the hooks."""
    text = yaml.safe_dump_all(obj for obj in objects("bgp") if obj["kind"] in KINDS)
    api_server.kubectl("apply", "-f", "-", stdin=text)
    yield api_server
    api_server.kubectl("delete", "-f", "-", stdin=text)


def bundles(plane: ControlPlane) -> set[str | None]:
    found = plane.raw("GET", f"{CONFIGURATIONS}/hybrid-guard").json()["webhooks"]
    return {hook["clientConfig"].get("caBundle") for hook in found}


def test_the_rotator_does_its_work_with_the_charts_rights_alone(identities: ControlPlane) -> None:
    kubeconfig = identities.client(ROTATOR, ACCOUNTS).kubeconfig
    command = next(
        c["command"]
        for c in one("bgp", "Deployment", "hybrid-guard-certs")["spec"]["template"]["spec"][
            "containers"
        ]
    )
    assert bundles(identities) == {None}
    program = [
        sys.executable,
        "-m",
        "certs",
        *command[1:],
        "--kubeconfig",
        str(kubeconfig),
        "--interval",
        "0.2",
    ]
    with subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        try:
            identities.until(
                lambda: None not in bundles(identities) or None, "the CA in every hook"
            )
            (right,) = bundles(identities)
            text = yaml.safe_dump_all(o for o in objects("bgp") if o["kind"] in KINDS)
            wiped = identities.raw("GET", f"{CONFIGURATIONS}/hybrid-guard").json()
            for hook in wiped["webhooks"]:
                hook["clientConfig"].pop("caBundle")
            assert identities.raw("PUT", f"{CONFIGURATIONS}/hybrid-guard", wiped).status == 200
            identities.until(
                lambda: bundles(identities) == {right} or None, "the CA to be put back"
            )
            identities.kubectl("apply", "-f", "-", stdin=text)
            assert bundles(identities) == {right}, "an apply of the chart leaves it alone"
        finally:
            child.terminate()
            _, told = child.communicate(timeout=30)
    assert child.returncode == 0
    assert "error" not in told
    lease = identities.raw(
        "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/hybrid-guard-certs"
    ).json()
    assert not lease["spec"].get("holderIdentity"), "given back"


def test_neither_account_may_do_more(identities: ControlPlane) -> None:
    other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "another"}}
    identities.raw("POST", SECRETS, other)
    refused = [
        (ROTATOR, "GET", f"{SECRETS}/another"), (ROTATOR, "GET", SECRETS), (ROTATOR, "DELETE", f"{SECRETS}/hybrid-guard-tls"),
        (ROTATOR, "GET", CONFIGURATIONS), (ROTATOR, "DELETE", f"{CONFIGURATIONS}/hybrid-guard"), (ROTATOR, "GET", "/api/v1/nodes"),
        (SERVER, "GET", f"{SECRETS}/hybrid-guard-tls"), (SERVER, "GET", "/api/v1/namespaces/kube-system/configmaps"),
        (SERVER, "GET", f"{CONFIGURATIONS}/hybrid-guard"), (SERVER, "GET", "/api/v1/nodes"),
    ]  # fmt: skip

    for user, method, path in refused:
        assert identities.raw(method, path, user=user, groups=ACCOUNTS).status == 403, (
            user,
            method,
            path,
        )
    assert identities.raw("POST", SECRETS, other, user=ROTATOR, groups=ACCOUNTS).status == 403
    identities.raw("DELETE", f"{SECRETS}/another")


def test_until_the_ca_is_in_only_eni_config_is_held_up(identities: ControlPlane) -> None:
    path = "/api/v1/namespaces/kube-system/configmaps"
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unrelated"}}
    held = {**other, "metadata": {"name": "eni-config"}}

    assert identities.raw("POST", path, other).status == 201
    assert identities.raw("PUT", f"{path}/unrelated", {**other, "data": {"a": "b"}}).status == 200
    assert identities.raw("DELETE", f"{path}/unrelated").status == 200
    assert (
        identities.raw(
            "POST", path, {**other, "metadata": {"name": "unrelated", "labels": {"gone": "soon"}}}
        ).status
        == 201
    )
    assert identities.raw("DELETE", f"{path}?labelSelector=gone%3Dsoon").status == 200
    assert identities.raw("POST", DAEMONSETS, daemonset("calico-node")).status == 201, "Ignore"
    assert identities.raw("DELETE", f"{DAEMONSETS}/calico-node").status == 200
    refused = identities.raw("POST", path, held)
    assert refused.status == 500
    assert "validate-eni-config.hybrid-guard.io" in refused.json()["message"]
