"""Overrides of eni-config as merged with it: what only several objects together tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.eni.samples import ID, conf
from webhook.audit.origin import Live, Origin
from webhook.audit.run import Audit
from webhook.files import manifests
from webhook.policy import parse
from webhook.policy.words import Network

CRDS = [
    f"{plural}.crd.projectcalico.org"
    for plural in (
        "felixconfigurations", "bgpconfigurations", "ippools", "hostendpoints", "clusterinformations",
        "globalnetworkpolicies", "globalnetworksets", "networkpolicies",
    )
]  # fmt: skip


def config_map(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "kube-system"},
        "data": data,
    }


def override(name: str = "pool-a", **fields: Any) -> dict[str, Any]:
    return config_map(name, {"eni_conf": json.dumps(fields)})


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def crd(name: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {"versions": [{"schema": schema}]},
    }


def rules(
    found: list[tuple[dict[str, Any], Origin]], *, merged: bool = True, **conclusion: Any
) -> list[str]:
    audit = Audit(parse.for_network(Network.BGP), merged=merged)
    for obj, origin in found:
        audit.judge(obj, origin)
    audit.conclude(**{"complete": True, **conclusion})
    return [
        f"{one.rule} {one.object.name if one.object else None} {one.level}"
        for one in audit.report.findings
    ]


def live(*objects: dict[str, Any]) -> list[tuple[dict[str, Any], Origin]]:
    return [(obj, Live()) for obj in objects]


def in_file(file: str, *objects: dict[str, Any]) -> list[tuple[dict[str, Any], Origin]]:
    return [(found.object, found) for found in manifests.parse(yaml.safe_dump_all(objects), file)]


BASE = config_map("eni-config", conf())
GROUPS = override(
    security_groups=[f"sg-{n}" for n in range(10)]
)  # with the one of the base: eleven
POLICY_ON = config_map("eni-config", {**conf(), "disable_network_policy": "false"})
TERWAY = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "terway-eniip", "namespace": "kube-system"},
          "spec": {"template": {"spec": {"nodeSelector": {"alibabacloud.com/external": "true"}}}}}  # fmt: skip
MANY = "ENI047 pool-a warning"
BROKEN = ["ENI133 pool-a error", MANY]
CASES = {
    "an override that fits": (live(BASE, override(max_pool_size=10)), []),
    "an override that breaks the base": (live(BASE, GROUPS), BROKEN),
    "the override comes first": (live(GROUPS, BASE), BROKEN),
    "an override alone": (live(GROUPS), [MANY]),
    "half a pair that the base completes": (live(BASE, override(access_key=ID)), []),
    "half a pair of another key": (live(BASE, override(access_key="LTAI5tQ7WmZk3VxR9pHsN2Bf")), ["ENI132 pool-a error"]),
    "a credential deleted": (live(BASE, override(access_key=None)), ["ENI132 pool-a error", "ENI133 pool-a error"]),
    "no object": (live(BASE, config_map("pool-a", {"eni_conf": "[]"})), ["ENI130 pool-a error", "ENI133 pool-a error"]),
    "a key without effect": (live(BASE, override(service_cidr="10.0.0.0/8")), ["ENI131 pool-a warning"]),
    "a label that leads nowhere": (live(BASE, node("a", **{"terway-config": "gone"}), node("b")), ["ENI134 eni-config warning"]),
    "a label that leads to an override": (live(BASE, override(), node("a", **{"terway-config": "pool-a"})), []),
    "a label that leads to another ConfigMap": (live(BASE, config_map("pool-a", {"x": "y"}), node("a", **{"terway-config": "pool-a"})), ["ENI134 eni-config warning"]),
    "policy on, all CRDs": (live(POLICY_ON, *map(crd, CRDS)), ["ENI123 eni-config warning"]),
    "policy on, a CRD missing": (live(POLICY_ON, *map(crd, CRDS[1:])), ["ENI123 eni-config warning", "ENI124 eni-config warning"]),
    "two clusters in two files": ([*in_file("a.yaml", BASE, override()), *in_file("b.yaml", config_map("eni-config", conf("security_group")), GROUPS)], ["ENI045 eni-config warning", MANY]),
    "two clusters in two folders": ([*in_file("a/1.yaml", BASE), *in_file("a/2.yaml", GROUPS), *in_file("b/1.yaml", config_map("eni-config", conf(max_pool_size=9)))], BROKEN),
    "two clusters, and an override of neither": ([*in_file("a/1.yaml", BASE), *in_file("b/1.yaml", BASE), *in_file("c.yaml", GROUPS)], [MANY]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_eni_config_is_judged_with_what_is_around_it(name: str) -> None:
    found, expected = CASES[name]

    assert rules(found) == expected


def test_without_merged_each_is_judged_alone() -> None:
    found = live(
        BASE, GROUPS, override("pool-b", access_key=ID), node("a", **{"terway-config": "gone"})
    )

    assert rules(found, merged=False) == [MANY, "ENI132 pool-b error"]


def test_missing_crds_are_told_once() -> None:
    assert rules(live(POLICY_ON, TERWAY)) == [
        "ENI123 eni-config warning",
        "ENI124 eni-config warning",
    ]
    assert rules(live(POLICY_ON, TERWAY), merged=False) == [
        "ENI123 eni-config warning",
        "HG204 eni-config warning",
    ]
    assert rules(live(POLICY_ON), merged=False) == ["ENI123 eni-config warning"], (
        "a lone file tells nothing of CRDs"
    )
    assert rules(live(POLICY_ON), merged=False, live=True) == [
        "ENI123 eni-config warning",
        "HG204 eni-config warning",
    ]
    assert rules(live(POLICY_ON), live=True, blind=frozenset({"customresourcedefinitions"})) == [
        "ENI123 eni-config warning"
    ]


def test_what_nobody_saw_is_not_missing() -> None:
    labelled = live(BASE, node("a", **{"terway-config": "gone"}))

    assert rules(labelled, live=True) == ["ENI134 eni-config warning"]
    assert rules(labelled, live=True, blind=frozenset({"configmaps"})) == []
    assert rules(labelled, complete=False) == []
    assert rules(live(BASE, GROUPS, override("pool-b", access_key=None)), complete=False) == [
        MANY,
        "ENI132 pool-b error",
    ]


def test_a_merged_finding_points_into_the_overrides_file() -> None:
    audit = Audit(parse.for_network(Network.BGP), merged=True)
    for obj, origin in in_file("f.yaml", BASE, GROUPS):
        audit.judge(obj, origin)
    audit.conclude(complete=True)
    finding, _ = audit.report.findings

    assert (finding.location.file, finding.location.pointer) == ("f.yaml", "/data/eni_conf")
    assert finding.message.startswith("data.eni_conf: as merged with eni-config: ENI047")
    text = yaml.safe_dump_all([BASE, GROUPS]).splitlines()
    assert "security_groups" in text[(finding.location.line or 0) - 1]
