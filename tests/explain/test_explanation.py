"""Who writes a workload again, by which sign, and what the knob is for this very object."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import yaml

from webhook.explain.explanation import Explanation, explain
from webhook.explain.owners import RECONCILERS
from webhook.policy import parse
from webhook.policy.evaluate import evaluate
from webhook.policy.words import Network
from webhook.workloads import read

Object = dict[str, Any]
KEY = "alibabacloud.com/external"
TERM = {"matchExpressions": [{"key": KEY, "operator": "NotIn", "values": ["true"]}]}
PINNED = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}
    }
}
JQ = ".spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
REQUIRED = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
PATH = "f:affinity f:nodeAffinity f:requiredDuringSchedulingIgnoredDuringExecution"


def calico(name: str = "calico-node", namespace: str = "calico-system", **metadata: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"template": {"spec": {"containers": [{"image": "calico/node"}]}}},
    }


def explained(obj: Object, network: str = "bgp") -> Explanation:
    workload = read(obj)
    assert workload is not None
    return explain(evaluate(workload, parse.for_network(Network(network))))


def owned_by(api_version: str, kind: str, name: str = "default") -> Object:
    return {
        "ownerReferences": [
            {"apiVersion": api_version, "kind": kind, "name": name, "controller": True}
        ]
    }


def managed(
    manager: str,
    path: str = "f:replicas",
    operation: str = "Update",
    below: str = "f:spec f:template f:spec",
) -> Object:
    fields: Object = {}
    for step in reversed([*below.split(), *path.split()]):
        fields = {step: fields}
    return {
        "manager": manager,
        "operation": operation,
        "fieldsV1": fields,
        "time": "2026-01-02T03:04:05Z",
    }


SIGNS: list[tuple[Object, str, str]] = [
    (owned_by("operator.tigera.io/v1", "Installation"), "tigera-operator", "ownerReferences: Installation/default"),
    (owned_by("submariner.io/v1alpha1", "Submariner", "submariner"), "Submariner operator", "ownerReferences: Submariner/submariner"),
    (owned_by("operator.openshift.io/v1", "Network", "cluster"), "OpenShift cluster-network-operator", "ownerReferences: Network/cluster"),
    ({"managedFields": [managed("cluster-network-operator/operconfig")]}, "OpenShift cluster-network-operator", "field manager cluster-network-operator/operconfig"),
    ({"annotations": {"objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon"}}, "RKE2 or k3s helm-controller", "annotation objectset.rio.cattle.io/owner-gvk"),
    ({"managedFields": [managed("deploy@server-0")]}, "RKE2 or k3s helm-controller", "field manager deploy@server-0"),
    ({"labels": {"argocd.argoproj.io/instance": "cni"}}, "Argo CD", "label argocd.argoproj.io/instance"),
    ({"annotations": {"argocd.argoproj.io/tracking-id": "cni:apps/DaemonSet:x/y"}}, "Argo CD", "annotation argocd.argoproj.io/tracking-id"),
    ({"managedFields": [managed("argocd-controller", operation="Apply")]}, "Argo CD", "field manager argocd-controller"),
    ({"labels": {"helm.toolkit.fluxcd.io/name": "cni"}}, "Flux helm-controller", "label helm.toolkit.fluxcd.io/name"),
    ({"labels": {"kustomize.toolkit.fluxcd.io/name": "cni"}}, "Flux kustomize-controller", "label kustomize.toolkit.fluxcd.io/name"),
    ({"labels": {"addon.kops.k8s.io/name": "cni"}}, "kops", "label addon.kops.k8s.io/name"),
    ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "Helm", "label app.kubernetes.io/managed-by=Helm"),
    ({"annotations": {"meta.helm.sh/release-name": "cni"}}, "Helm", "annotation meta.helm.sh/release-name"),
    ({"labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}}, "addon-manager", "label addonmanager.kubernetes.io/mode=Reconcile"),
    ({"managedFields": [managed("kubectl-client-side-apply")]}, "kubectl apply", "field manager kubectl-client-side-apply"),
    (owned_by("example.com/v1", "Mesh", "m"), "Mesh/m", "ownerReferences: example.com/v1"),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "name", "because"), SIGNS)
def test_an_owner_is_known_by_its_sign(metadata: Object, name: str, because: str) -> None:
    found = explained(calico(**metadata)).owners

    assert [(owner.name, owner.because) for owner in found] == [(name, because)]
    assert found[0].does


def test_every_row_of_the_table_has_a_case() -> None:
    assert {row.name for row in RECONCILERS} <= {name for _, name, _ in SIGNS}


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/managed-by": "me", "addonmanager.kubernetes.io/mode": "EnsureExists"}},
        {"labels": None, "annotations": [], "ownerReferences": "x", "managedFields": {"a": 1}},
        {"managedFields": [None, {"manager": 1, "fieldsV1": {"f:spec": [1]}}]},
    ],
)  # fmt: skip
def test_nobody_is_seen_where_there_is_no_sign(metadata: Object) -> None:
    assert explained(calico(**metadata)).owners == ()


def test_a_tool_that_brought_a_reconcilers_object_is_not_told_beside_it() -> None:
    labels = {"argocd.argoproj.io/instance": "cni", "app.kubernetes.io/managed-by": "Helm"}

    assert [owner.name for owner in explained(calico(labels=labels)).owners] == ["Argo CD"]


def test_no_owner_is_told_of_what_policy_leaves_alone() -> None:
    helm = calico(labels={"app.kubernetes.io/managed-by": "Helm"})

    assert explained(helm, "overlay").owners == ()


def knob(obj: Object) -> tuple[str, ...]:
    return explained(obj).owners[0].knob


@pytest.mark.parametrize(
    ("name", "field"),
    [("calico-node", "calicoNodeDaemonSet"), ("csi-node-driver", "csiNodeDriverDaemonSet"), ("calico-node-windows", "calicoNodeWindowsDaemonSet")],
)  # fmt: skip
def test_tigeras_knob_is_a_command_that_sets_the_pinned_affinity(name: str, field: str) -> None:
    lines = knob(calico(name, **owned_by("operator.tigera.io/v1", "Installation")))
    words = shlex.split(lines[1])

    assert words[:-1] == ["kubectl", "patch", "installation", "default", "--type", "merge", "-p"]
    assert json.loads(words[-1]) == {
        "spec": {field: {"spec": {"template": {"spec": {"affinity": PINNED}}}}}
    }


def test_argo_cds_knob_is_for_this_very_object() -> None:
    obj = calico("kube-flannel-ds", "kube-flannel", labels={"argocd.argoproj.io/instance": "f"})
    lines = knob(obj)
    start, end = lines.index("ignoreDifferences:"), len(lines) - 2

    assert yaml.safe_load("\n".join(lines[start:end])) == {
        "ignoreDifferences": [
            {
                "group": "apps",
                "kind": "DaemonSet",
                "namespace": "kube-flannel",
                "name": "kube-flannel-ds",
                "jqPathExpressions": [JQ],
            }
        ]
    }


def test_helms_knob_sets_the_charts_value() -> None:
    named = {"annotations": {"meta.helm.sh/release-name": "net"}}
    agent = shlex.split(
        " ".join(knob(calico("cilium", "kube-system", **named))[1:]).replace("\\ ", "")
    )
    envoy = " ".join(knob(calico("cilium-envoy", "kube-system", **named)))

    assert agent[:7] == ["helm", "upgrade", "net", "CHART", "-n", "kube-system", "--reuse-values"]
    assert agent[-1].startswith("affinity=")
    assert json.loads(agent[-1].removeprefix("affinity=")) == PINNED
    assert "'envoy.affinity={" in envoy


def test_fluxs_and_rke2s_knobs_are_yaml() -> None:
    flux = knob(calico(labels={"helm.toolkit.fluxcd.io/name": "cni"}))
    rke2 = knob(calico("rke2-canal", "kube-system", annotations={"helm.cattle.io/chart-url": "x"}))

    drift = yaml.safe_load("\n".join(flux[1:4]))["driftDetection"]["ignore"]
    assert drift == [
        {
            "paths": ["/spec/template/spec/affinity"],
            "target": {"kind": "DaemonSet", "name": "calico-node"},
        }
    ]
    assert yaml.safe_load(flux[5]) == {"values": {"affinity": PINNED}}
    config = yaml.safe_load("\n".join(rke2[1:]))
    assert config["metadata"] == {"name": "rke2-canal", "namespace": "kube-system"}
    assert json.loads(config["spec"]["valuesContent"]) == {"affinity": PINNED}


def test_a_hostile_name_stays_inside_its_quotes() -> None:
    evil = "x'; touch /tmp/owned; '$(id)"
    obj = calico("cilium", "kube-system", annotations={"meta.helm.sh/release-name": evil})
    obj["spec"]["template"]["spec"]["affinity"] = {"podAffinity": {"note": evil}}
    command = " ".join(knob(obj)[1:]).replace("\\ ", "")
    argo = {
        **obj,
        "metadata": {**obj["metadata"], "annotations": {"argocd.argoproj.io/tracking-id": "x"}},
    }
    lines = knob(argo)

    words = shlex.split(command)
    assert words[2] == evil
    assert len(words) == 9
    assert yaml.safe_load("\n".join(lines[1:8]))["ignoreDifferences"][0]["name"] == "cilium"


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (managed("a", PATH), (REQUIRED,)),
        (managed("a", "f:affinity"), ("affinity",)),
        (managed("a", "f:affinity f:podAffinity"), ("affinity",)),
        (managed("a", "f:nodeSelector"), ("nodeSelector",)),
        (managed("a", "f:containers"), ()),
        (managed("a", "f:affinity", below="f:status"), ()),
    ],
)  # fmt: skip
def test_who_owns_what_says_where_pods_land(entry: Object, fields: tuple[str, ...]) -> None:
    found = explained(calico(managedFields=[entry])).writers

    assert [writer.fields for writer in found] == ([fields] if fields else [])
    if found:
        assert (found[0].manager, found[0].operation, found[0].time) == (
            "a",
            "Update",
            "2026-01-02T03:04:05Z",
        )


def test_a_rollout_is_told_where_something_is_added() -> None:
    pinned = calico()
    pinned["spec"]["template"]["spec"]["affinity"] = PINNED

    assert (
        explained(calico()).rollout == "changes the pod template: restarts calico-node on its nodes"
    )
    assert explained(pinned).rollout is None
