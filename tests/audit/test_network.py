"""HG201 to HG203: the policy against what is there, companions, and CNIs that meet."""

from __future__ import annotations

import pytest

from tests.detect.objects import Object, config_map, container, daemonset, node, pool
from tests.detect.test_rules import backend
from webhook.audit import network
from webhook.detect import Survey
from webhook.findings import Finding, fingerprint
from webhook.policy import parse
from webhook.policy.words import Network

KEY = "alibabacloud.com/external"
CLOUD = {KEY: "true"}
OFF: Object = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": KEY, "operator": "NotIn", "values": ["true"]}]}]}}}}  # fmt: skip
TERWAY = daemonset("terway-eniip", container("terway"), nodeSelector=CLOUD)
TERWAY_ANYWHERE = daemonset("terway-eniip", container("terway"))
WEAVE, WEAVE_OFF = (daemonset("weave-net", container("weave"), **spec) for spec in ({}, OFF))
KINDNET = daemonset("kindnet", container("kindnet-cni"))
ENVOY, ENVOY_OFF = (
    daemonset("cilium-envoy", container("cilium-envoy"), **spec) for spec in ({}, OFF)
)
CILIUM_OFF = daemonset("cilium", container("cilium-agent"), **OFF)
CALICO = daemonset("calico-node", container("calico-node", CALICO_IPV4POOL_IPIP="Never"))
HOME, AWAY = node("home"), node("away", CLOUD)


def findings(objects: list[Object], wanted: str) -> list[Finding]:
    survey = Survey()
    for obj in objects:
        survey.add(obj)
    return list(network.findings(survey, parse.for_network(Network(wanted))))


def told(objects: list[Object], wanted: str) -> list[tuple[str, str, str]]:
    return [
        (f.rule, f.level.value, f.object.name if f.object else "")
        for f in findings(objects, wanted)
    ]


@pytest.mark.parametrize(
    ("objects", "wanted", "level"),
    [
        (backend('{"Backend": {"Type": "vxlan"}}'), "overlay", None),
        (backend('{"Backend": {"Type": "vxlan"}}'), "bgp", "error"),
        (backend('{"Backend": {"Type": "host-gw"}}'), "overlay", "error"),
        (backend('{"Backend": {"Type": "host-gw"}}'), "bgp", None),
        (backend('{"Backend": {"Type": "alloc"}}'), "bgp", "error"),
        ([CALICO], "overlay", "warning"),  # the environment is a hint
        ([CALICO, pool(ipipMode="Never")], "overlay", "error"),
        ([CALICO, pool(ipipMode="CrossSubnet")], "overlay", "warning"),  # not plain overlay
        ([CALICO, pool(ipipMode="CrossSubnet")], "bgp", "warning"),
        ([CALICO, WEAVE_OFF, pool(ipipMode="Never")], "overlay", None),  # cannot tell
        ([], "overlay", None),
    ],
)
def test_the_policys_network_against_what_is_there(
    objects: list[Object], wanted: str, level: str | None
) -> None:
    found = [f.level.value for f in findings(objects, wanted) if f.rule == "HG201"]

    assert found == ([level] if level else [])


def test_a_wrong_network_names_both_and_the_evidence() -> None:
    found = findings(backend('{"Backend": {"Type": "vxlan"}}'), "bgp")[0]

    assert str(found) == (
        "HG201 the policy says network bgp, this looks like overlay: flannel is overlay "
        "(ConfigMap kube-flannel-cfg, net-conf.json: Backend.Type vxlan)"
    )
    assert found.fix == "write `network: overlay`; `hybrid-guard detect` shows the evidence"
    assert str(found.object) == "DaemonSet/kube-flannel/kube-flannel-ds"


@pytest.mark.parametrize(
    ("objects", "left"),
    [
        ([CILIUM_OFF, ENVOY], ["cilium-envoy"]),
        ([CILIUM_OFF, ENVOY_OFF], []),
        ([daemonset("cilium", container("cilium-agent")), ENVOY], []),
        ([ENVOY], []),
        ([daemonset("calico-node", container("calico-node"), **OFF),
          daemonset("csi-node-driver", container("csi"), namespace="calico-system")], ["csi-node-driver"]),
        ([daemonset("kube-ovn-cni", container("cni-server"), **OFF),
          daemonset("ovs-ovn", container("openvswitch"))], ["ovs-ovn"]),
    ],
)  # fmt: skip
def test_a_companion_that_stays_where_the_agent_is_not(
    objects: list[Object], left: list[str]
) -> None:
    found = [one for one in told(objects, "bgp") if one[0] != "HG201"]

    assert found == [("HG202", "warning", name) for name in left]


@pytest.mark.parametrize(
    ("objects", "messages"),
    [
        ([WEAVE_OFF, TERWAY], []),
        ([WEAVE, TERWAY], ["two CNIs meet on cloud nodes: terway, weave"]),
        ([WEAVE_OFF, TERWAY_ANYWHERE], ["two CNIs meet on on-prem nodes: terway, weave"]),
        ([WEAVE_OFF, KINDNET], ["two CNIs meet on on-prem nodes: kindnet, weave"]),
        # With nodes there is more to say, and only of nodes that are there.
        ([WEAVE, TERWAY, HOME], []),
        ([WEAVE, TERWAY, HOME, AWAY], ["two CNIs meet: terway, weave on away"]),
        ([WEAVE_OFF, HOME, AWAY], ["no CNI on some nodes: away"]),
        ([TERWAY, HOME, AWAY], ["no CNI on some nodes: home"]),
        ([WEAVE_OFF, node("v", {**CLOUD, "type": "virtual-kubelet"})], []),
        # Policies are no data path.
        ([WEAVE, daemonset("calico-node", container("calico-node", CALICO_NETWORKING_BACKEND="none"))], []),
        # Leftovers count beside a CNI that runs.
        ([WEAVE, config_map("cilium-config", tunnel="vxlan")],
         ["leftovers of cilium: ConfigMap cilium-config is left of cilium; weave runs now"]),
        ([config_map("cilium-config", tunnel="vxlan")], []),
    ],
)  # fmt: skip
def test_cnis_that_meet_and_nodes_without(objects: list[Object], messages: list[str]) -> None:
    assert [f.message for f in findings(objects, "overlay") if f.rule == "HG203"] == messages


def test_a_baseline_tells_the_two_sides_of_one_object_apart() -> None:
    both = [one for one in findings([WEAVE, TERWAY_ANYWHERE], "overlay") if one.rule == "HG203"]

    assert [str(one.object) for one in both] == ["DaemonSet/kube-system/terway-eniip"] * 2
    assert len(set(map(fingerprint, both))) == 2


def test_with_network_host_an_on_prem_node_needs_no_cni() -> None:
    assert told([TERWAY, HOME, AWAY], "host") == []
