"""HG106: volumes that bind pods to the other side, judged from storage objects and nodes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from webhook.audit.origin import Live
from webhook.audit.run import Audit
from webhook.files import manifests
from webhook.policy import parse

POLICY = parse.parse(
    yaml.safe_load("""
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {names: ["home*"]}, placement: on-prem}
- {name: away, match: {names: ["away*"]}, placement: cloud}
""")
)
CLOUD = {"key": "alibabacloud.com/external", "operator": "In", "values": ["true"]}
HOME = {"key": "alibabacloud.com/external", "operator": "NotIn", "values": ["true"]}
ZONE = "topology.kubernetes.io/zone"


def workload(
    name: str, *volumes: dict[str, Any], kind: str = "Deployment", spec: Any = None, **pod: Any
) -> dict[str, Any]:
    template = {"spec": {"containers": [], "volumes": list(volumes), **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": template, **(spec or {})},
    }


def uses(claim: str) -> dict[str, Any]:
    return {"name": claim, "persistentVolumeClaim": {"claimName": claim}}


def makes(storage_class: str | None) -> dict[str, Any]:
    spec = {} if storage_class is None else {"storageClassName": storage_class}
    return {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}


def stateful(name: str, replicas: int = 3, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": spec.pop("of", "zonal")}}
    return workload(
        name,
        kind="StatefulSet",
        spec={"replicas": replicas, "volumeClaimTemplates": [template], **spec},
    )


def claim(
    name: str,
    volume: str | None = None,
    namespace: str = "shop",
    node: str | None = None,
    **spec: Any,
) -> dict[str, Any]:
    annotations = {"volume.kubernetes.io/selected-node": node} if node else {}
    if volume:
        spec["volumeName"] = volume
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": spec,
    }


def volume(name: str, *terms: list[dict[str, Any]], **source: Any) -> dict[str, Any]:
    affinity = {
        "nodeAffinity": {
            "required": {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
        }
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {**source, **(affinity if terms else {})},
    }


def storage_class(name: str, *zones: str, default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    topologies = (
        {"allowedTopologies": [{"matchLabelExpressions": [{"key": ZONE, "values": list(zones)}]}]}
        if zones
        else {}
    )
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "x",
        **topologies,
    }


def node(name: str, zone: str, *, cloud: bool = False) -> dict[str, Any]:
    labels = {
        "kubernetes.io/hostname": name,
        ZONE: zone,
        **({"alibabacloud.com/external": "true"} if cloud else {}),
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def is_in(*zones: str) -> dict[str, Any]:
    return {"key": ZONE, "operator": "In", "values": list(zones)}


def host(name: str) -> dict[str, Any]:
    return {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}


NODES = (
    node("home-1", "cellar"),
    node("home-2", "cellar"),
    node("cloud-1", "cn-hangzhou-g", cloud=True),
    node("cloud-2", "cn-hangzhou-h", cloud=True),
)
ZONAL = (storage_class("zonal", "cn-hangzhou-g", "cn-hangzhou-h"), storage_class("local", "cellar"))
TOLD, QUIET = True, False
CASES = {
    # The volume's own terms speak of the side.
    "a volume of the cloud": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [CLOUD])], TOLD),
    "a volume of the house": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [HOME])], QUIET),
    "one of the cloud, and a workload that goes there": ([workload("away", uses("c")), claim("c", "pv"), volume("pv", [CLOUD])], QUIET),
    "one of the house, and a workload that goes away": ([workload("away", uses("c")), claim("c", "pv"), volume("pv", [HOME])], TOLD),
    "a volume of both, by its second term": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [CLOUD], [HOME])], QUIET),
    "storage comes first": ([volume("pv", [CLOUD]), claim("c", "pv"), workload("home", uses("c"))], TOLD),
    "a workload without a side": ([workload("any", uses("c")), claim("c", "pv"), volume("pv", [CLOUD])], QUIET),
    "a workload with a side of its own": ([workload("any", uses("c"), nodeSelector={"alibabacloud.com/external": "false"}), claim("c", "pv"), volume("pv", [CLOUD])], TOLD),
    "a volume without terms": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", hostPath={"path": "/x"})], QUIET),
    "a volume that matches no node at all": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [CLOUD, HOME])], QUIET),
    "a claim of another namespace": ([workload("home", uses("c")), claim("c", "pv", namespace="other"), volume("pv", [CLOUD])], QUIET),
    "a claim that nobody knows": ([workload("home", uses("c"))], QUIET),
    "a volume that nobody knows": ([workload("home", uses("c")), claim("c", "pv")], QUIET),
    # The nodes say which side a zone or a host name is.
    "a zone, and no nodes": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [is_in("cn-hangzhou-g")])], QUIET),
    "a zone of the cloud's nodes": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [is_in("cn-hangzhou-g")]), *NODES], TOLD),
    "a zone of the house's nodes": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [is_in("cellar")]), *NODES], QUIET),
    "zones of both": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [is_in("cellar", "cn-hangzhou-g")]), *NODES], QUIET),
    "a zone of no known node": ([workload("home", uses("c")), claim("c", "pv"), volume("pv", [is_in("attic")]), *NODES], QUIET),
    "a disk of a node at home": ([workload("away", uses("c")), claim("c", "pv"), volume("pv", [host("home-1")], local={"path": "/d"}), *NODES], TOLD),
    "a disk of a node in the cloud": ([workload("away", uses("c")), claim("c", "pv"), volume("pv", [host("cloud-1")], local={"path": "/d"}), *NODES], QUIET),
    # Claims that are not bound yet.
    "a claim that waits for a node of the cloud": ([workload("home", uses("c")), claim("c", node="cloud-1"), *NODES], TOLD),
    "a claim that waits for a node at home": ([workload("home", uses("c")), claim("c", node="home-1"), *NODES], QUIET),
    "a claim of a class of the cloud": ([workload("home", uses("c")), claim("c", storageClassName="zonal"), *ZONAL, *NODES], TOLD),
    "a claim of a class of the house": ([workload("home", uses("c")), claim("c", storageClassName="local"), *ZONAL, *NODES], QUIET),
    "a claim of the default class": ([workload("home", uses("c")), claim("c"), storage_class("std", "cn-hangzhou-g", default=True), *NODES], TOLD),
    "a claim of a class that is everywhere": ([workload("home", uses("c")), claim("c", storageClassName="any"), storage_class("any"), *NODES], QUIET),
    "a bound claim, whatever its class": ([workload("home", uses("c")), claim("c", "pv", storageClassName="zonal"), volume("pv", [is_in("cellar")]), *ZONAL, *NODES], QUIET),
    # Claims that are made.
    "an ephemeral volume of the cloud": ([workload("home", makes("zonal")), *ZONAL, *NODES], TOLD),
    "an ephemeral volume of the house": ([workload("home", makes("local")), *ZONAL, *NODES], QUIET),
    "an ephemeral volume of the default class": ([workload("home", makes(None)), storage_class("std", "cn-hangzhou-g", default=True), *NODES], TOLD),
    "a StatefulSet that is new": ([stateful("home"), *ZONAL, *NODES], TOLD),
    "a StatefulSet whose claims are bound at home": ([stateful("home"), *(claim(f"data-home-{n}", "pv") for n in range(3)), volume("pv", [is_in("cellar")]), *ZONAL, *NODES], QUIET),
    "a StatefulSet whose third claim will be made": ([stateful("home"), *(claim(f"data-home-{n}", "pv") for n in range(2)), volume("pv", [is_in("cellar")]), *ZONAL, *NODES], TOLD),
    "a StatefulSet that moved, and its old claims": ([stateful("home", of="local"), claim("data-home-1", "pv"), volume("pv", [is_in("cn-hangzhou-g")]), *ZONAL, *NODES], TOLD),
    "a claim beyond its replicas": ([stateful("home", of="local"), claim("data-home-3", "pv"), volume("pv", [is_in("cn-hangzhou-g")]), *ZONAL, *NODES], QUIET),
    "ordinals that start later": ([stateful("home", of="local", ordinals={"start": 3}), claim("data-home-3", "pv"), volume("pv", [is_in("cn-hangzhou-g")]), *ZONAL, *NODES], TOLD),
    # Whatever else may stand there.
    "odd shapes": ([workload("home", uses("c"), {"name": "x"}, "y", {"persistentVolumeClaim": [1]}, {"ephemeral": {"volumeClaimTemplate": 1}}),  # type: ignore[arg-type]
                    claim("c", "pv"), {**volume("pv"), "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": "x"}}}}, {"apiVersion": "v1", "kind": "Node"},
                    {**storage_class("z"), "allowedTopologies": [1, {"matchLabelExpressions": None}]}], QUIET),
}  # fmt: skip


def found(objects: list[dict[str, Any]]) -> list[Any]:
    audit = Audit(POLICY)
    for obj in objects:
        audit.judge(obj, Live())
    audit.conclude(complete=True)
    return [one for one in audit.report.findings if one.rule == "HG106"]


@pytest.mark.parametrize("name", CASES)
def test_a_volume_on_the_other_side_is_told(name: str) -> None:
    objects, is_told = CASES[name]

    assert len(found(objects)) == is_told


def test_the_finding_names_claim_volume_and_node() -> None:
    (one,) = found(
        [
            stateful("home"),
            *(claim(f"data-home-{n}", "pv") for n in range(3)),
            volume("pv", [host("cloud-1")]),
            *NODES,
        ]
    )

    assert one.level == "warning"
    assert one.location.pointer == "/spec/volumeClaimTemplates/0"
    assert one.message == (
        "the volume of claim data-home-0 (and 2 more) can be attached to cloud nodes only, says PersistentVolume pv, "
        "which admits node cloud-1 alone; rule home wants on-prem nodes: there its pods stay Pending"
    )  # fmt: skip


def test_the_finding_points_at_the_workload_in_its_file() -> None:
    text = yaml.safe_dump_all(
        [claim("c", "pv"), workload("home", uses("c")), volume("pv", [CLOUD])]
    )
    audit = Audit(POLICY)
    for manifest in manifests.parse(text, "f.yaml"):
        audit.judge(manifest.object, manifest)
    audit.conclude(complete=True)
    (one,) = (found for found in audit.report.findings if found.rule == "HG106")

    assert (one.location.file, one.location.pointer) == ("f.yaml", "/spec/template/spec/volumes/0")
    assert text.splitlines()[(one.location.line or 0) - 1] == "apiVersion: apps/v1"
