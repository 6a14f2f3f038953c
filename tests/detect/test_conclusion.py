"""From several DaemonSets, nodes and pods to a network, or to not knowing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.detect.objects import (
    Object,
    config_map,
    container,
    daemonset,
    installation,
    key_of,
    node,
    placed,
    pod,
    pool,
    resource,
)
from webhook.detect import Survey, detect
from webhook.detect.model import Detection

EXTERNAL = {"alibabacloud.com/external": "true"}
WEAVE = daemonset("weave-net", container("weave"))
KINDNET = daemonset("kindnet", container("kindnet-cni"))
TERWAY = daemonset("terway-eniip", container("terway"), nodeSelector=EXTERNAL)
PROXY = daemonset("kube-proxy", container("kube-proxy"))
HOME, CLOUD = node("home"), node("cloud", EXTERNAL)


def runs_flannel(name: str, backend: str) -> Object:
    found = node(name)
    found["metadata"]["annotations"] = {"flannel.alpha.coreos.com/backend-type": backend}
    return found


def idle(obj: Object) -> Object:
    return {**obj, "status": {"observedGeneration": 1, "desiredNumberScheduled": 0}}


@pytest.mark.parametrize(
    ("objects", "network", "words"),
    [
        ([], None, "no CNI add-on"),
        ([PROXY], None, "no CNI add-on"),
        ([TERWAY], None, "no CNI add-on"),
        ([HOME], None, "no CNI add-on"),
        ([TERWAY, WEAVE], "overlay", "weave: overlay"),
        ([WEAVE, KINDNET], None, "2 data paths: weave, kindnet"),
        ([WEAVE, idle(KINDNET)], "overlay", "kindnet does not count: it runs on no node"),
        ([WEAVE, daemonset("kindnet", container("kindnet-cni"), nodeSelector=EXTERNAL)], "overlay",
         "kindnet does not count: it runs on cloud nodes only"),
        # Nothing there, or nothing seen?
        ([PROXY, TERWAY, HOME, CLOUD], "host", "no pod with an address of its own"),
        ([PROXY, pod("a", "home", host=True)], "host", "no pod with an address of its own"),
        ([PROXY, HOME, CLOUD, pod("a", "cloud", host=False)], "host", "no CNI add-on"),
        ([PROXY, HOME, pod("a", "home", host=False)], None, "run on on-prem node home"),
        ([PROXY, node("home", k3s_dot_io_slash_hostname="home")], None, "k3s or RKE2"),
        # Settings without a DaemonSet.
        ([pool(ipipMode="Always")], "overlay", "IPPool default-ipv4-ippool: ipipMode Always"),
        ([installation()], "overlay", "one of IPIP is the default"),
        ([runs_flannel("a", "host-gw"), runs_flannel("b", "host-gw")], "bgp", "host-gw on 2 nodes"),
        ([runs_flannel("a", "host-gw"), runs_flannel("b", "vxlan")], None, "flannel: unknown"),
        ([daemonset("calico-node", container("calico-node", CALICO_NETWORKING_BACKEND="none"))], None,
         "the data path of on-prem nodes is not among these"),
    ],
)  # fmt: skip
def test_network(objects: list[Object], network: str | None, words: str) -> None:
    found = detect(objects)

    assert found.network == network
    assert words in "; ".join(found.evidence)


def test_cross_subnet_is_an_overlay_with_a_warning() -> None:
    agent = daemonset("calico-node", container("calico-node"))
    found = detect([agent, pool(vxlanMode="CrossSubnet")])

    assert found.network == "overlay"
    assert "against: within a subnet nothing is encapsulated" in found.evidence[-1]


@pytest.mark.parametrize(
    ("objects", "certain"),
    [
        ([pool(ipipMode="Always")], True),
        ([], False),
        ([installation()], False),
    ],
    ids=["a pool decides", "the environment is a hint", "another's Installation"],
)
def test_what_is_certain(objects: list[Object], certain: bool) -> None:  # noqa: FBT001
    agent = daemonset("calico-node", container("calico-node", CALICO_IPV4POOL_IPIP="Always"))

    assert detect([agent, *objects]).certain is certain


@pytest.mark.parametrize(
    ("network", "certain"),
    [({"ipPools": [{"encapsulation": "IPIP"}]}, True), ({}, False)],
    ids=["it names pools", "pools that exist already would stay"],
)
def test_what_an_installation_makes_certain(network: Object, certain: bool) -> None:  # noqa: FBT001
    agent = daemonset("calico-node", container("calico-node"), namespace="calico-system")

    assert detect([agent, installation(calicoNetwork=network)]).certain is certain


def test_without_pods_or_daemonsets_of_a_cluster_nothing_is_absent() -> None:
    survey = Survey()
    for obj in (HOME, PROXY):
        survey.add(obj)
    survey.seen.whole = False

    assert survey.detection().network is None
    survey.seen.whole = True
    assert survey.detection().network == "host"


def test_what_speaks_against_is_told() -> None:
    agent = daemonset("calico-node", container("calico-node"))
    felix = resource("FelixConfiguration", "crd.projectcalico.org/v1", ipipEnabled=False)
    calico = detect([agent, pool(ipipMode="Always"), felix]).daemonsets[0].reading
    router = detect(
        [daemonset("kube-router", container("kube-router", "--peer-router-ips", "10.0.0.1"))]
    )
    ovn = detect(
        [
            daemonset("kube-ovn-cni", container("cni-server")),
            daemonset("kube-ovn-speaker", container("kube-ovn-speaker")),
            resource("Subnet", "kubeovn.io/v1", "underlay", vlan="v100"),
        ]
    )

    assert calico.against == ("FelixConfiguration: ipipEnabled false",)
    assert router.daemonsets[0].reading.against == (
        "--peer-router-ips 10.0.0.1: it also peers with routers",
    )
    assert ovn.daemonsets[0].reading.against == (
        "Subnet underlay has vlan v100: underlay there",
        "kube-ovn-speaker announces addresses by BGP",
    )


@pytest.mark.parametrize(
    ("objects", "against"),
    [
        ([container("x", OVN_ROUTE_ADVERTISEMENTS_ENABLE="false")], ()),
        ([container("x", OVN_ROUTE_ADVERTISEMENTS_ENABLE="true")],
         ("OVN_ROUTE_ADVERTISEMENTS_ENABLE true: BGP is possible",)),
        ([container("x", "--enable-route-advertisements"),
          resource("RouteAdvertisements", "k8s.ovn.org/v1")],
         ("--enable-route-advertisements, 1 RouteAdvertisements: BGP is possible",)),
        ([container("x"), resource("RouteAdvertisements", "k8s.ovn.org/v1")],
         ("1 RouteAdvertisements: BGP is possible",)),
    ],
    ids=["off", "by a variable", "by a flag", "by resources"],
)  # fmt: skip
def test_route_advertisements_speak_against_an_overlay(
    objects: list[Object], against: tuple[str, ...]
) -> None:
    found = detect([daemonset("ovnkube-node", objects[0]), *objects[1:]])

    assert found.network == "overlay"
    assert found.daemonsets[0].reading.against == against
    assert found.certain is not bool(against)


@pytest.mark.parametrize(
    ("defaults", "against"),
    [
        (
            {"routing-mode": "native"},
            ("on the nodes of a: routing-mode native (CiliumNodeConfig)",),
        ),
        ({"routing-mode": "tunnel", "tunnel-protocol": "geneve"}, ()),
        ({"enable-ipv6": "true"}, ()),
    ],
    ids=["otherwise", "the same", "something else"],
)
def test_nodes_that_route_otherwise_speak_against(
    defaults: Object, against: tuple[str, ...]
) -> None:
    config = config_map("cilium-config", **{"routing-mode": "tunnel"})
    some = {"matchLabels": {"rack": "a"}}
    nodes = resource("CiliumNodeConfig", "cilium.io/v2", "a", nodeSelector=some, defaults=defaults)
    found = detect([daemonset("cilium", container("cilium-agent")), config, nodes])

    assert found.daemonsets[0].reading.evidence == ("routing-mode tunnel",)
    assert found.daemonsets[0].reading.against == against
    assert found.certain is not bool(against)


@pytest.mark.parametrize(
    ("agent", "more", "said"),
    [
        (container("cilium-agent"), [], "tunnel disabled"),
        (container("cilium-agent", "--tunnel=vxlan"), [], "tunnel vxlan (--tunnel)"),
        (container("cilium-agent", CILIUM_TUNNEL="vxlan"), [], "tunnel vxlan (CILIUM_TUNNEL)"),
        (container("cilium-agent"),
         [resource("CiliumNodeConfig", "cilium.io/v2", nodeSelector={}, defaults={"tunnel": "vxlan"})],
         "tunnel vxlan (CiliumNodeConfig)"),
    ],
    ids=["ConfigMap", "flag", "variable", "every node's"],
)  # fmt: skip
def test_evidence_names_the_place_that_counts(agent: Object, more: list[Object], said: str) -> None:
    config = config_map("cilium-config", tunnel="disabled")
    found = detect([daemonset("cilium", agent), config, *more])

    assert found.daemonsets[0].reading.evidence[0] == said


@pytest.mark.parametrize(
    ("container_of", "look"),
    [
        (container("flannel", FLANNELD_ETCD_ENDPOINTS="http://e:2379"), "etcdctl"),
        (container("flannel", "--ip-masq"), "etcdctl"),
        (container("flannel", "--kube-subnet-mgr"), "kubectl"),
        (container("flannel", FLANNELD_KUBE_SUBNET_MGR="true", FLANNELD_ETCD_ENDPOINTS="x"),
         "kubectl"),
        (container("flannel"), "kubectl"),
    ],
    ids=["etcd by a variable", "etcd by flags", "a flag", "a variable", "nothing"],
)  # fmt: skip
def test_where_to_look_for_flannels_configuration(container_of: Object, look: str) -> None:
    found = detect([daemonset("kube-flannel-ds", container_of)])

    assert found.network is None
    assert found.look[0].startswith(look)


def test_a_default_is_not_told_as_if_it_were_written() -> None:
    def said(*args: str) -> tuple[str, ...]:
        agent = container("networking-agent", *args)
        found = detect([daemonset("kopeio-networking-agent", agent)])
        return found.daemonsets[0].reading.evidence

    assert said() == ("--provider is not set: vxlan is the default",)
    assert said("--provider=gre") == ("--provider=gre",)


def spelled(container_of: Object) -> Detection:
    return detect([daemonset("kube-router", {"name": "kube-router", "image": "x", **container_of})])


@pytest.mark.parametrize(
    "started",
    [
        {"args": ["--overlay-type=full"]},
        {"args": ["--overlay-type", "full"]},
        {"args": ["-overlay-type=full"]},
        {"command": ["/usr/local/bin/kube-router", "--overlay-type=full"]},
        {"command": ["kube-router"], "args": ["--v=2", "--overlay-type", "full", "--run-router"]},
        {"command": ["/bin/sh", "-c", "set -e; exec kube-router --overlay-type=full; # done"]},
        {"command": ["bash", "-c"], "args": ["kube-router \\\n  --overlay-type 'full'"]},
        {"args": ["--overlay-type=$(KIND)"], "env": [{"name": "KIND", "value": "full"}]},
        {
            "command": ["sh", "-c", "kube-router --overlay-type=${KIND}"],
            "env": [{"name": "KIND", "value": "full"}],
        },
    ],
)
def test_flags_are_read_however_they_are_written(started: Object) -> None:
    assert spelled(started).daemonsets[0].reading.mode == "overlay"


def test_a_boolean_flag_takes_no_following_word() -> None:
    """As pflag reads it: `--enable-overlay false` is true, and a word too many."""
    found = spelled({"args": ["--enable-overlay", "false"]})

    assert found.daemonsets[0].reading.mode == "overlay-crosssubnet"


def test_environment_from_a_whole_config_map() -> None:
    agent = container("calico-node")
    agent["envFrom"] = [{"configMapRef": {"name": "pools"}, "prefix": "CALICO_"}]
    found = detect([daemonset("calico-node", agent), config_map("pools", IPV4POOL_VXLAN="Always")])

    assert found.daemonsets[0].reading.mode == "overlay"


def test_a_files_own_settings_come_first() -> None:
    def cilium(mode: str) -> list[Object]:
        agent = daemonset("cilium", container("cilium-agent"), config="cilium-config")
        return [agent, config_map("cilium-config", **{"routing-mode": mode})]

    survey = Survey()
    for file, objects in (("a", cilium("tunnel")), ("b", cilium("native")), ("c", cilium("")[:1])):
        for obj in objects:
            survey.add(obj, placed(file))
    found = {one.location.file: one.reading.mode for one in survey.detection().daemonsets}

    assert found == {"a": "overlay", "b": "native", "c": "unknown"}


def test_a_files_own_pools_come_first() -> None:
    agent = daemonset("calico-node", container("calico-node"))
    survey = Survey()
    for file, objects in (
        ("a", [agent, pool(ipipMode="Always")]),
        ("b", [agent, pool(ipipMode="Never")]),
        ("c", [agent]),
    ):
        for obj in objects:
            survey.add(obj, placed(file))
    found = {one.location.file: one.reading.mode for one in survey.detection().daemonsets}

    assert found == {"a": "overlay", "b": "bgp", "c": "unknown"}


def test_the_agents_environment_counts_before_its_init_containers() -> None:
    init = container("install-cni", CALICO_IPV4POOL_IPIP="Never")
    agent = container("calico-node", CALICO_IPV4POOL_IPIP="Always")
    found = detect([daemonset("calico-node", agent, initContainers=[init])])

    assert found.network == "overlay"


def test_kube_ovn_is_read_from_its_controller() -> None:
    controller = daemonset("kube-ovn-controller", container("c", "--network-type=vlan"))
    controller["kind"] = "Deployment"
    found = detect([daemonset("ovs-ovn", container("openvswitch")), controller])

    assert found.daemonsets[0].reading.mode == "native"
    assert found.daemonsets[0].reading.evidence == ("--network-type=vlan of kube-ovn-controller",)


def test_an_operators_daemonset_is_known_by_its_owner() -> None:
    owned = daemonset("calico-node", container("calico-node"), namespace="elsewhere")
    owned["metadata"]["ownerReferences"] = [{"kind": "Installation", "name": "default"}]
    network = {"ipPools": [{"encapsulation": "VXLANCrossSubnet"}]}

    assert (
        detect([owned, installation(calicoNetwork=network)]).daemonsets[0].reading.mode
        == "overlay-crosssubnet"
    )


def test_lists_and_retired_apis_are_read() -> None:
    old: Object = {**WEAVE, "apiVersion": "extensions/v1beta1"}
    items: Any = {"apiVersion": "v1", "kind": "List", "items": [old, "nonsense", None]}

    assert detect([items]).network == "overlay"


def test_an_audit_keeps_what_is_a_networks_alone() -> None:
    survey = Survey(others=False)
    for name in ("fluentd", "kube-proxy", "weave-net", "cilium-envoy"):
        survey.add(daemonset(name, container("x")))
    for number in range(3_000):
        survey.add(config_map(f"c{number}", text="x" * 4_000))
    survey.add(config_map("c", tunnel="vxlan"))

    assert [one.ref.name for one in survey.seen.daemonsets] == [
        "kube-proxy",
        "weave-net",
        "cilium-envoy",
    ]
    assert len(survey.seen.config_maps) < 1_100
    assert survey.seen.config_maps[-1].ref.name == "c"


def test_eni_config_is_not_kept() -> None:
    survey = Survey()
    survey.add(config_map("eni-config", eni_conf='{"access_key": "secret"}', tunnel="x"))

    assert survey.seen.config_maps == []


def test_a_template_in_a_config_map_key_is_not_guessed() -> None:
    agent = container("calico-node", CALICO_IPV4POOL_IPIP=key_of("pools", "ipip"))
    found = detect([daemonset("calico-node", agent), config_map("pools", ipip="$X")])

    assert found.network is None
