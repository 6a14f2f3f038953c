from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.cluster import corpus
from webhook import workloads
from webhook.policy import catalogue, parse
from webhook.policy.evaluate import Verdict, evaluate
from webhook.policy.words import Network, Placement

KEY = "alibabacloud.com/external"
POLICIES = {network: parse.for_network(network) for network in Network}


def workload(
    namespace: str, name: str, kind: str = "DaemonSet", image: str = "x", **spec: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}], **spec}}},
    }


def judge(obj: dict[str, Any], policy: str = "", **options: Any) -> Verdict:
    base = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: bgp\n"
    parsed = parse.parse(yaml.safe_load(base + policy))
    read = workloads.read(obj, parsed.kinds)
    assert read is not None
    return evaluate(read, parsed, **options)


def found(verdict: Verdict) -> list[str]:
    return [f"{finding.level} {finding}" for finding in verdict.findings]


def test_every_real_daemonset_has_its_expected_placement() -> None:
    for each in corpus.daemonsets():
        read = workloads.read(each.object)
        assert read is not None
        for network in Network:
            verdict = evaluate(read, POLICIES[network])
            assert verdict.decision.placement == each.placements[network], (each.file, network)
            assert all(len(str(finding)) <= 120 for finding in verdict.findings)


# Where each belongs in overlay, bgp, host; the table of add-ons, read by hand.
ON_PREM, CLOUD, LEAVE = ("any", "on-prem", "any"), ("cloud",) * 3, ("any",) * 3


@pytest.mark.parametrize(
    ("namespace", "name", "image", "wanted"),
    [
        ("kube-system", "calico-node", "x", ON_PREM),
        ("calico-system", "calico-node", "x", ON_PREM),
        ("kube-system", "calico-node-windows", "x", ON_PREM),
        ("calico-system", "csi-node-driver", "x", ON_PREM),
        ("kube-system", "canal", "x", ON_PREM),
        ("kube-system", "canal-node", "x", ON_PREM),
        ("kube-system", "rke2-canal", "x", ON_PREM),
        ("kube-flannel", "kube-flannel-ds", "x", ON_PREM),
        ("kube-system", "kube-flannel-ds-s390x", "x", ON_PREM),
        ("kube-system", "cilium", "x", ON_PREM),
        ("kube-system", "cilium-envoy", "x", ON_PREM),
        ("kube-system", "cilium-node-init", "x", ON_PREM),
        ("kube-system", "weave-net", "x", ON_PREM),
        ("kube-system", "antrea-agent", "x", ON_PREM),
        ("kube-system", "antrea-agent-windows", "x", ON_PREM),
        ("kube-system", "kube-router", "x", ON_PREM),
        ("kube-system", "kube-ovn-cni", "x", ON_PREM),
        ("kube-ovn", "kube-ovn-cni", "x", ON_PREM),
        ("kube-system", "ovs-ovn", "x", ON_PREM),
        ("kube-system", "kube-ovn-pinger", "x", ON_PREM),
        ("ovn-kubernetes", "ovnkube-node", "x", ON_PREM),
        ("ovn-kubernetes", "ovs-node", "x", ON_PREM),
        ("ovn-kubernetes", "ovn-ipsec", "x", ON_PREM),
        ("openshift-ovn-kubernetes", "ovnkube-node", "x", ON_PREM),
        ("kube-system", "kindnet", "x", ON_PREM),
        ("kube-system", "kopeio-networking-agent", "x", ON_PREM),
        ("kube-system", "romana-agent", "x", ON_PREM),
        ("kube-system", "contiv-netplugin", "x", ON_PREM),
        ("kube-system", "terway", "x", CLOUD),
        ("kube-system", "terway-eni", "x", CLOUD),
        ("kube-system", "terway-eniip", "x", CLOUD),
        ("kube-system", "terway-windows", "x", CLOUD),
        ("kube-system", "terway-eniip-windows", "x", CLOUD),
        ("kube-system", "terway-hybrid", "registry/acs/terway:v1", LEAVE),
        ("kube-system", "terway-hybrid-controlplane", "x", LEAVE),
        ("kube-system", "aws-node", "x", LEAVE),
        ("kube-system", "azure-cns", "x", LEAVE),
        ("kube-system", "azure-npm", "x", LEAVE),
        ("kube-system", "kube-proxy", "x", LEAVE),
        ("kube-system", "node-local-dns", "x", LEAVE),
        ("kube-system", "kube-multus-ds", "x", LEAVE),
        ("kube-system", "whereabouts", "x", LEAVE),
        ("kube-system", "spiderpool-agent", "x", LEAVE),
        ("kube-system", "kube-sriov-device-plugin-amd64", "x", LEAVE),
        ("istio-system", "istio-cni-node", "x", LEAVE),
        ("linkerd-cni", "linkerd-cni", "x", LEAVE),
        ("submariner-operator", "submariner-gateway", "x", LEAVE),
        ("kube-system", "kube-ovn-speaker", "docker.io/kubeovn/kube-ovn:v1", LEAVE),
        # Known by image alone, mirrors and digests included, in the add-on's namespaces only.
        ("kube-system", "my-net", "harbor.corp:5000/mirror/calico/node:v3@sha256:0", ON_PREM),
        ("kube-system", "my-net", "quay.io/cilium/cilium", ON_PREM),
        ("monitoring", "my-net", "quay.io/cilium/cilium", LEAVE),
        ("kube-system", "calico-node-exporter", "corp/calico-node-exporter:1", LEAVE),
        ("default", "calico-node", "x", LEAVE),
        ("kube-system", "terway2", "x", LEAVE),
        ("kube-system", "my-cilium-helper", "quay.io/cilium/cilium-etcd", LEAVE),
    ],
)
def test_the_catalogue_knows_each_add_on_and_nothing_else(
    namespace: str, name: str, image: str, wanted: tuple[str, ...]
) -> None:
    read = workloads.read(workload(namespace, name, image=image))
    assert read is not None

    placed = tuple(evaluate(read, POLICIES[n]).decision.placement.value for n in Network)

    assert placed == wanted


def test_an_add_ons_deployments_are_left_alone() -> None:
    verdict = judge(workload("kube-system", "calico-node", "Deployment", "quay.io/calico/node:v3"))

    assert verdict.decision.placement is Placement.ANY
    assert verdict.ops == ()


def test_namespaces_of_the_catalogue_are_what_a_chart_must_select() -> None:
    assert set(catalogue.NAMESPACES) >= {"kube-system", "calico-system", "kube-flannel", "kube-ovn",
                                         "ovn-kubernetes", "kube-router", "cilium"}  # fmt: skip


RULES = """
rules:
- {name: opt-out, match: {names: [legacy-*]}, placement: any}
- {name: home, match: {kinds: [Deployment], namespaces: ["batch-*"]}, placement: on-prem}
- {name: lean, match: {kinds: [Deployment], labels: {matchExpressions: [{key: lean, operator: Exists}]}}, placement: cloud, enforcement: preferred}
overrides: {namespaces: [sandbox]}
"""


def labelled(obj: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


@pytest.mark.parametrize(
    ("obj", "options", "rule", "placement"),
    [
        (workload("batch-a", "web", "Deployment"), {}, "home", "on-prem"),
        (workload("batch-a", "legacy-web", "Deployment"), {}, "opt-out", "any"),
        (workload("other", "web", "Deployment"), {}, "default", "any"),
        (workload("other", "web", "Deployment"), {"namespace_placement": Placement.CLOUD}, "namespace", "cloud"),
        (workload("batch-a", "web", "Deployment"), {"namespace_placement": Placement.CLOUD}, "home", "on-prem"),
        (workload("kube-system", "calico-node"), {}, "catalogue/calico", "on-prem"),
        (workload("kube-system", "calico-node"), {"namespace_placement": Placement.ANY}, "namespace", "any"),
        (workload("kube-system", "legacy-net", image="calico/node"), {}, "opt-out", "any"),
    ],
)  # fmt: skip
def test_precedence_is_rules_then_namespace_then_catalogue(
    obj: dict[str, Any], options: dict[str, Any], rule: str, placement: str
) -> None:
    decision = judge(obj, RULES, **options).decision

    assert (decision.rule, decision.placement.value) == (rule, placement)


def test_a_workloads_own_label_wins_where_overrides_allow_it_and_nowhere_else() -> None:
    own = {"hybrid-guard.io/placement": "cloud"}
    allowed = judge(labelled(workload("sandbox", "legacy-a", "Deployment"), **own), RULES)
    elsewhere = judge(labelled(workload("batch-a", "web", "Deployment"), **own), RULES)
    typo = judge(
        labelled(
            workload("sandbox", "web", "Deployment"), **{"hybrid-guard.io/placement": "onprem"}
        ),
        RULES,
    )

    assert (allowed.decision.rule, allowed.decision.placement) == ("label", Placement.CLOUD)
    assert elsewhere.decision.rule == "home"
    assert typo.decision.rule == "default"
    assert found(typo) == [
        "warning HG100 label hybrid-guard.io/placement=onprem is passed over: it is not a placement"
    ]


def terms(*expressions: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": [e]} for e in expressions]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


IN = {"key": KEY, "operator": "In", "values": ["true"]}
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, [f"error HG101 can land on cloud nodes: the pod spec lacks {KEY} (rule home)"]),
        ({"affinity": terms(LINUX)}, [f"error HG101 can land on cloud nodes: nodeSelectorTerms[0] lacks {KEY} (rule home)"]),
        ({"nodeSelector": {KEY: "true"}}, [f"error HG103 contradiction: rule home wants on-prem nodes, nodeSelector: {KEY}=true excludes them"]),
        ({"affinity": terms(IN, LINUX)}, [
            f"error HG101 can land on cloud nodes: nodeSelectorTerms[0].matchExpressions[0]: {KEY} In [true] admits it (rule home)",
            "warning HG103 nodeSelectorTerms[0] wants cloud nodes and will match no node"]),
        ({"affinity": terms()}, ["warning HG104 matches no node: an empty nodeSelectorTerms matches no node"]),
        ({"affinity": "x"}, ["error HG100 spec.template.spec.affinity must be an object, found a string"]),
        ({"nodeSelector": {KEY: "false"}}, []),
    ],
)  # fmt: skip
def test_findings_judge_the_object_as_it_is_written(
    spec: dict[str, Any], wanted: list[str]
) -> None:
    assert found(judge(workload("batch-a", "web", "Deployment", **spec), RULES)) == wanted


def test_against_the_catalogue_a_contradiction_is_a_warning() -> None:
    verdict = judge(workload("kube-system", "calico-node", nodeSelector={KEY: "true"}))

    assert found(verdict)[0].startswith("warning HG103 contradiction: calico, bgp network wants")
    assert verdict.ops == ()


def test_a_preference_is_noted_and_added() -> None:
    verdict = judge(labelled(workload("x", "web", "Deployment"), lean="1"), RULES)

    assert found(verdict) == [
        "note HG105 rule lean only prefers cloud nodes: nothing keeps it there"
    ]
    assert [op.path[-1] for op in verdict.ops] == ["affinity"]


def test_an_action_that_does_not_inject_adds_nothing() -> None:
    verdict = judge(workload("kube-system", "calico-node"), "defaults: {action: warn}")

    assert verdict.ops == ()
    assert verdict.patched is verdict.workload.object
    assert verdict.findings


def test_a_cronjob_is_patched_below_its_own_path() -> None:
    obj = {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "n", "namespace": "batch-a"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}},
    }  # fmt: skip
    policy = "rules: [{name: all, match: {kinds: [CronJob]}, placement: on-prem}]"
    verdict = judge(obj, policy)

    assert verdict.ops[0].path == ("spec", "jobTemplate", "spec", "template", "spec", "affinity")
    assert "affinity" in verdict.patched["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert "affinity" not in obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]  # type: ignore[index]


def test_a_workload_without_a_template_is_unreadable() -> None:
    obj = workload("batch-a", "web", "Deployment")
    obj["spec"] = {}

    assert found(judge(obj, RULES)) == [
        "error HG100 spec.template.spec is missing: there is no pod template"
    ]
