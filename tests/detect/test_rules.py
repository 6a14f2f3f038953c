"""Each rule that tells how an add-on moves packets, on the least that it reads."""

from __future__ import annotations

import json
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
    pool,
    resource,
)
from webhook.detect import detect

CALICO_V1 = "crd.projectcalico.org/v1"
NET_CONF = "kube-flannel-cfg"


def calico(namespace: str = "kube-system", **env: Any) -> Object:
    return daemonset("calico-node", container("calico-node", **env), namespace=namespace)


def flannel(*args: str) -> Object:
    agent = container("kube-flannel", *(args or ("--kube-subnet-mgr",)))
    return daemonset("kube-flannel-ds", agent, namespace="kube-flannel", config=NET_CONF)


def backend(text: str) -> list[Object]:
    return [flannel(), config_map(NET_CONF, "kube-flannel", **{"net-conf.json": text})]


def canal(text: str) -> list[Object]:
    agents = (container("calico-node", CALICO_NETWORKING_BACKEND="none"), container("kube-flannel"))
    return [
        daemonset("canal", *agents, config="canal-config"),
        config_map("canal-config", **{"net-conf.json": text}),
    ]


def cilium(*more: Object, **options: Any) -> list[Object]:
    agent = daemonset("cilium", container("cilium-agent"), config="cilium-config")
    return [agent, config_map("cilium-config", **options), *more]


def agent(*args: str, data: Object | None = None, **env: Any) -> list[Object]:
    """Return Cilium with flags and variables, beside its ConfigMap where that has `data`."""
    found = [daemonset("cilium", container("cilium-agent", *args, **env), config="cilium-config")]
    return [*found, *([] if data is None else [config_map("cilium-config", **data)])]


def node_config(name: str, selector: Object | None, **defaults: str) -> Object:
    named = {key.replace("__", "-"): value for key, value in defaults.items()}
    return resource("CiliumNodeConfig", "cilium.io/v2", name, nodeSelector=selector, defaults=named)


def antrea(conf: str, *more: Object, name: str = "antrea-config") -> list[Object]:
    agent = daemonset("antrea-agent", container("antrea-agent"), config=name)
    return [agent, config_map(name, **{"antrea-agent.conf": conf}), *more]


def kube_router(*args: str) -> list[Object]:
    return [daemonset("kube-router", container("kube-router", *args))]


def kube_ovn(*args: str) -> list[Object]:
    return [daemonset("kube-ovn-cni", container("cni-server", *args))]


def ovn(*args: str, **env: str) -> Object:
    node = container("ovnkube-controller", *args, **env)
    return daemonset("ovnkube-node", node, namespace="ovn-kubernetes")


def ipam(kind: str) -> Object:
    plugins = [{"type": "calico", "ipam": {"type": kind}}, {"type": "portmap"}]
    return config_map("calico-config", cni_network_config=json.dumps({"plugins": plugins}))


def template(conf: str) -> Object:
    """Return what install-cni makes a configuration of: no JSON before."""
    return config_map("calico-config", cni_network_config=conf)


def pools(*encapsulations: str) -> Object:
    return installation(calicoNetwork={"ipPools": [{"encapsulation": e} for e in encapsulations]})


ALWAYS = {"CALICO_IPV4POOL_IPIP": "Always"}
NO_BACKEND = {"CALICO_NETWORKING_BACKEND": "none"}
SOME = {"matchLabels": {"rack": "a"}}
NEVER = {"CALICO_IPV4POOL_IPIP": "Never", "CALICO_IPV4POOL_VXLAN": "Never"}
BGP_PEER = resource("BGPPeer", CALICO_V1, "tor")
NO_MESH = resource("BGPConfiguration", CALICO_V1, nodeToNodeMeshEnabled=False)
OPERATED = {"NO_DEFAULT_POOLS": "true", "CALICO_NETWORKING_BACKEND": "bird"}
V6 = {"cidr": "fd00::/64"}

CASES: dict[str, tuple[list[Object], str, str | None]] = {
    # 1 to 3: pools
    "pool ipip always": ([calico(), pool(ipipMode="Always", vxlanMode="Never")], "overlay", "overlay"),
    "pool vxlan always": ([calico(), pool(vxlanMode="Always")], "overlay", "overlay"),
    "pool wins over environment": ([calico(**ALWAYS), pool(ipipMode="Never")], "bgp", "bgp"),
    "pool of v3": ([calico(), resource("IPPool", "projectcalico.org/v3", ipipMode="Always")], "overlay", "overlay"),
    "pool ipip cross subnet": ([calico(), pool(ipipMode="CrossSubnet")], "overlay-crosssubnet", "overlay"),
    "pool vxlan cross subnet": ([calico(), pool(vxlanMode="CrossSubnet")], "overlay-crosssubnet", "overlay"),
    "one always, one cross subnet": ([calico(), pool("a", ipipMode="Always"), pool("b", vxlanMode="CrossSubnet")], "overlay-crosssubnet", "overlay"),
    "pools never": ([calico(), pool("a", ipipMode="Never"), pool("b")], "bgp", "bgp"),
    "one always, one never": ([calico(), pool("a", ipipMode="Always"), pool("b", ipipMode="Never")], "unknown", None),
    "a disabled pool does not count": ([calico(), pool("a", ipipMode="Always"), pool("b", disabled=True)], "overlay", "overlay"),
    "a disabled pool keeps calico-node from making one": ([calico(**ALWAYS), pool(ipipMode="Always", disabled=True)], "unknown", None),
    "a pool of no node does not count": ([calico(), pool("a", ipipMode="Always"), pool("b", nodeSelector="!all()")], "overlay", "overlay"),
    "a pool for tunnels does not count": ([calico(), pool("a", ipipMode="Always"), pool("b", allowedUses=["Tunnel"])], "overlay", "overlay"),
    "IPv6 does not count beside IPv4": ([calico(), pool("a", ipipMode="Always"), pool("b", **V6)], "overlay", "overlay"),
    "IPv6 alone counts": ([calico(), pool("b", **V6, vxlanMode="Always")], "overlay", "overlay"),
    "a mode nobody knows": ([calico(), pool(ipipMode="Sometimes")], "unknown", None),
    # 3, 6: environment, while no pool is seen
    "environment always": ([calico(**ALWAYS)], "overlay", "overlay"),
    "environment vxlan always": ([calico(CALICO_IPV4POOL_VXLAN="always")], "overlay", "overlay"),
    "environment cross-subnet": ([calico(CALICO_IPV4POOL_IPIP="cross-subnet")], "overlay-crosssubnet", "overlay"),
    "environment never": ([calico(**NEVER)], "bgp", "bgp"),
    "environment off": ([calico(CALICO_IPV4POOL_IPIP="off", CALICO_NETWORKING_BACKEND="bird")], "bgp", "bgp"),
    "no environment at all": ([calico()], "bgp", "bgp"),
    "environment off as a boolean": ([calico(CALICO_IPV4POOL_IPIP="Off", CALICO_IPV4POOL_VXLAN=None)], "bgp", "bgp"),
    "environment misspelt": ([calico(CALICO_IPV4POOL_IPIP="Alwys")], "unknown", None),
    "a template": ([calico(CALICO_IPV4POOL_IPIP="{{ ipip }}")], "unknown", None),
    "vxlan that encapsulates nothing": ([calico(**NEVER, CALICO_NETWORKING_BACKEND="vxlan")], "unknown", None),
    "environment from a ConfigMap": ([calico(CALICO_IPV4POOL_IPIP=key_of("pools", "ipip")), config_map("pools", ipip="CrossSubnet")], "overlay-crosssubnet", "overlay"),
    "environment from a ConfigMap that is missing": ([calico(CALICO_IPV4POOL_IPIP=key_of("pools", "ipip"))], "unknown", None),
    "optional key that is missing": ([calico(CALICO_IPV4POOL_IPIP=key_of("pools", "ipip", optional=True))], "bgp", "bgp"),
    "backend from a ConfigMap": ([calico(**NEVER, CALICO_NETWORKING_BACKEND=key_of("calico-config", "calico_backend")), config_map("calico-config", calico_backend="bird")], "bgp", "bgp"),
    "backend from a ConfigMap that is missing": ([calico(**NEVER, CALICO_NETWORKING_BACKEND=key_of("calico-config", "calico_backend"))], "unknown", None),
    # 4: route reflectors
    "peers, pools never": ([calico(), pool(ipipMode="Never"), BGP_PEER, NO_MESH], "bgp", "bgp"),
    "peers, pools always": ([calico(), pool(ipipMode="Always"), BGP_PEER, NO_MESH], "overlay", "overlay"),
    "peers, pools not seen": ([calico(**OPERATED), BGP_PEER], "bgp", "bgp"),
    "reflector by annotation": ([calico(**OPERATED), node("a", projectcalico_dot_org_slash_RouteReflectorClusterID="1.0.0.1")], "bgp", "bgp"),
    "pools neither made nor seen": ([calico(**OPERATED)], "unknown", None),
    # 5: policies only
    "backend none, host-local": ([calico(CALICO_NETWORKING_BACKEND="none"), ipam("host-local")], "policy-only", None),
    "backend none, no CNI of its own": ([calico(CALICO_NETWORKING_BACKEND="none")], "policy-only", None),
    "backend none, calico-ipam, vxlan": ([calico(CALICO_NETWORKING_BACKEND="none", CALICO_IPV4POOL_VXLAN="Always"), ipam("calico-ipam")], "overlay", "overlay"),
    "backend none, calico-ipam, nothing": ([calico(CALICO_NETWORKING_BACKEND="none"), ipam("calico-ipam")], "unknown", None),
    "host-local in what install-cni fills in": ([calico(**NO_BACKEND, **ALWAYS), template('{"plugins": [{"type": "calico", "mtu": __CNI_MTU__, "ipam": {"type": "host-local"}}]}')], "policy-only", None),
    "calico-ipam in what install-cni fills in": ([calico(**NO_BACKEND, **NEVER), template('{"plugins": [{"type": "calico", "mtu": __CNI_MTU__, "ipam": {"type": "calico-ipam"}}]}')], "unknown", None),
    "host-local in a configuration of one plugin": ([calico(**NO_BACKEND, **ALWAYS), template('{"type": "calico", "etcd": "__ETCD__", "ipam": {"type": "host-local"}}')], "policy-only", None),
    "operator beside another CNI": ([calico("calico-system", **OPERATED), installation(cni={"type": "AmazonVPC"})], "policy-only", None),
    # 7: the operator
    "Installation IPIP": ([calico("calico-system", **OPERATED), pools("IPIP")], "overlay", "overlay"),
    "Installation VXLAN": ([calico("calico-system", **OPERATED), pools("VXLAN")], "overlay", "overlay"),
    "Installation VXLANCrossSubnet": ([calico("calico-system", **OPERATED), pools("VXLANCrossSubnet")], "overlay-crosssubnet", "overlay"),
    "Installation IPIPCrossSubnet": ([calico("calico-system", **OPERATED), pools("IPIPCrossSubnet")], "overlay-crosssubnet", "overlay"),
    "Installation None": ([calico("calico-system", **OPERATED), pools("None")], "bgp", "bgp"),
    "Installation None without BGP": ([calico("calico-system", NO_DEFAULT_POOLS="true"), installation(calicoNetwork={"bgp": "Disabled", "ipPools": [{"encapsulation": "None"}]})], "unknown", None),
    "Installation says nothing": ([calico("calico-system", **OPERATED), installation()], "overlay", "overlay"),
    "Installation pool without encapsulation": ([calico("calico-system", **OPERATED), installation(calicoNetwork={"ipPools": [{"cidr": "10.0.0.0/16"}]})], "overlay", "overlay"),
    "Installation without pools": ([calico("calico-system", **OPERATED), installation(calicoNetwork={"ipPools": []})], "unknown", None),
    "Installation on EKS with Calico's CNI": ([calico("calico-system", NO_DEFAULT_POOLS="true"), installation(kubernetesProvider="EKS", cni={"type": "Calico"})], "overlay", "overlay"),
    "Installation on EKS": ([calico("calico-system"), installation(kubernetesProvider="EKS")], "policy-only", None),
    "pools win over Installation": ([calico("calico-system", **OPERATED), pools("IPIP"), pool(ipipMode="Never")], "bgp", "bgp"),
    "an overlay Installation": ([calico("calico-system", **OPERATED), installation(), installation("overlay", calicoNetwork={"ipPools": [{"encapsulation": "VXLANCrossSubnet"}]})], "overlay-crosssubnet", "overlay"),
    "Installation is not for a manifest's calico-node": ([calico(**NEVER), pools("IPIP")], "bgp", "bgp"),
    # 8: Canal
    "canal vxlan": (canal('{"Backend": {"Type": "vxlan"}}'), "overlay", "overlay"),
    "canal host-gw": (canal('{"Backend": {"Type": "host-gw"}}'), "host-gw", "bgp"),
    "canal in etcd, by variables": ([daemonset("canal-node", container("flannel", FLANNELD_ETCD_ENDPOINTS="http://e:2379"), container("calico-node"))], "unknown", None),
    "canal in etcd": ([daemonset("canal-node", container("kube-flannel", "--ip-masq"), container("calico-node"))], "unknown", None),
    # 9 to 13: Flannel
    **{f"flannel {kind}": (backend(json.dumps({"Backend": {"Type": kind}})), "overlay", "overlay") for kind in ("vxlan", "udp", "wireguard", "ipip", "ipsec")},
    "flannel vxlan direct": (backend('{"Backend": {"Type": "vxlan", "DirectRouting": true}}'), "overlay-crosssubnet", "overlay"),
    "flannel ipip direct": (backend('{"Backend": {"Type": "ipip", "DirectRouting": true}}'), "overlay-crosssubnet", "overlay"),
    "flannel vxlan not direct": (backend('{"Backend": {"Type": "vxlan", "DirectRouting": false}}'), "overlay", "overlay"),
    "flannel wireguard knows no direct": (backend('{"Backend": {"Type": "wireguard", "DirectRouting": true}}'), "overlay", "overlay"),
    "flannel host-gw": (backend('{"Backend": {"Type": "host-gw"}}'), "host-gw", "bgp"),
    **{f"flannel {kind}": (backend(json.dumps({"Backend": {"Type": kind}})), "cloud", None) for kind in ("ali-vpc", "aws-vpc", "gce", "tencent-vpc")},
    "flannel alloc": (backend('{"Backend": {"Type": "alloc"}}'), "host", "host"),
    "flannel extension": (backend('{"Backend": {"Type": "extension"}}'), "unknown", None),
    "flannel without backend": (backend('{"Network": "10.244.0.0/16"}'), "overlay", "overlay"),
    "flannel by another case": (backend('{"backend": {"type": "VXLAN"}}'), "overlay", "overlay"),
    "flannel with comments": (backend('{\n // the data path\n "Backend": {"Type": "host-gw", }, /* layer 2 */\n}'), "host-gw", "bgp"),
    "flannel with a comment's look in a string": (backend('{"Network": "//", "Backend": {"Type": "vxlan"}}'), "overlay", "overlay"),
    "flannel that is no JSON": (backend("Backend: vxlan"), "unknown", None),
    "flannel with a template": (backend('{"Backend": {"Type": "{{ type }}"}}'), "unknown", None),
    "flannel with a blank": (backend('{"Backend": {"Type": __TYPE__}}'), "unknown", None),
    "flannel without its ConfigMap": ([flannel()], "unknown", None),
    "flannel in etcd": ([flannel("--etcd-endpoints=http://e:2379")], "unknown", None),
    # 14 to 17b: Cilium
    "cilium tunnel": (cilium(routing__mode="tunnel", tunnel__protocol="vxlan"), "overlay", "overlay"),
    "cilium tunnel geneve": (cilium(routing__mode="tunnel", tunnel__protocol="geneve"), "overlay", "overlay"),
    "cilium says nothing": (cilium(debug="false"), "overlay", "overlay"),
    "cilium old vxlan": (cilium(tunnel="vxlan"), "overlay", "overlay"),
    "cilium old geneve": (cilium(tunnel="geneve"), "overlay", "overlay"),
    "cilium old disabled": (cilium(tunnel="disabled"), "native", "bgp"),
    "cilium new key first": (cilium(routing__mode="native", tunnel="vxlan"), "native", "bgp"),
    "cilium native": (cilium(routing__mode="native", ipam="kubernetes"), "native", "bgp"),
    "cilium native and BGP": (cilium(routing__mode="native", enable__bgp__control__plane="true"), "bgp", "bgp"),
    "cilium BGP unquoted": (cilium(routing__mode="native", enable__bgp__control__plane=True), "bgp", "bgp"),
    "cilium old BGP": (cilium(tunnel="disabled", bgp__announce__pod__cidr="true"), "bgp", "bgp"),
    "cilium BGP by peering policy": (cilium(resource("CiliumBGPPeeringPolicy", "cilium.io/v2alpha1"), routing__mode="native"), "bgp", "bgp"),
    "cilium BGP by cluster config": (cilium(resource("CiliumBGPClusterConfig", "cilium.io/v2"), routing__mode="native"), "bgp", "bgp"),
    "cilium direct routes": (cilium(routing__mode="native", auto__direct__node__routes="true"), "host-gw", "bgp"),
    **{f"cilium {kind}": (cilium(routing__mode="native", ipam=kind), "cloud", None) for kind in ("eni", "azure", "alibabacloud")},
    "cilium tunnel and BGP": (cilium(routing__mode="tunnel", enable__bgp__control__plane="true"), "overlay", "overlay"),
    "cilium chained": (cilium(routing__mode="native", cni__chaining__mode="aws-cni"), "policy-only", None),
    "cilium with portmap": (cilium(tunnel="vxlan", cni__chaining__mode="portmap"), "overlay", "overlay"),
    "cilium with a mode nobody knows": (cilium(routing__mode="magic"), "unknown", None),
    "cilium BGP by a node's config": (cilium(resource("CiliumBGPNodeConfig", "cilium.io/v2"), routing__mode="native"), "bgp", "bgp"),
    "cilium peers alone are no BGP": (cilium(resource("CiliumBGPPeerConfig", "cilium.io/v2"), routing__mode="native"), "native", "bgp"),
    "cilium tunnel and BGP by cluster config": (cilium(resource("CiliumBGPClusterConfig", "cilium.io/v2"), routing__mode="tunnel"), "overlay", "overlay"),
    "cilium with a template": (cilium(tunnel="{{ .Tunnel }}"), "unknown", None),
    # flags before variables before the ConfigMap
    "cilium flag": (agent("--config-dir=/c", "--routing-mode=native", data={}), "native", "bgp"),
    "cilium flag in two words": (agent("--config-dir", "/c", "--tunnel", "disabled", data={}), "native", "bgp"),
    "cilium flag before the ConfigMap": (agent("--tunnel=geneve", data={"tunnel": "disabled"}), "overlay", "overlay"),
    "cilium flag before a variable": (agent("--routing-mode=tunnel", CILIUM_ROUTING_MODE="native"), "overlay", "overlay"),
    "cilium flag that is a switch": (agent("--enable-bgp-control-plane", data={"routing-mode": "native"}), "bgp", "bgp"),
    "cilium flags without a ConfigMap": (agent("--tunnel=disabled", "--ipam=eni"), "cloud", None),
    "cilium protocol without a ConfigMap": (agent("--tunnel-protocol=geneve"), "overlay", "overlay"),
    "cilium protocol beside a folder not seen": (agent("--tunnel-protocol=vxlan", "--config-dir=/c"), "unknown", None),
    "cilium variable": (agent(CILIUM_TUNNEL="disabled"), "native", "bgp"),
    "cilium variable before the ConfigMap": (agent(CILIUM_ROUTING_MODE="tunnel", data={"routing-mode": "native"}), "overlay", "overlay"),
    "cilium variable from a key": ([*agent(CILIUM_TUNNEL=key_of("other", "tunnel"), data={}), config_map("other", tunnel="disabled")], "native", "bgp"),
    "cilium variable from a key not seen": (agent(CILIUM_TUNNEL=key_of("other", "tunnel")), "unknown", None),
    # CiliumNodeConfig
    "cilium on every node otherwise": (cilium(node_config("a", {}, routing__mode="native"), routing__mode="tunnel"), "native", "bgp"),
    "cilium on every node, by empty labels": (cilium(node_config("a", {"matchLabels": {}}, tunnel="disabled"), tunnel="vxlan"), "native", "bgp"),
    "cilium on every node, the last name counts": (cilium(node_config("b", {}, tunnel="vxlan"), node_config("a", {}, tunnel="disabled"), debug="1"), "overlay", "overlay"),
    "cilium on every node, without a ConfigMap": ([*agent(), node_config("a", {}, routing__mode="native")], "native", "bgp"),
    "cilium flag before every node's": ([*agent("--routing-mode=tunnel"), node_config("a", {}, routing__mode="native")], "overlay", "overlay"),
    "cilium on some nodes otherwise": (cilium(node_config("a", SOME, routing__mode="native"), routing__mode="tunnel"), "overlay", "overlay"),
    "cilium on nobody's node": (cilium(node_config("a", None, routing__mode="native"), routing__mode="tunnel"), "overlay", "overlay"),
    "cilium without its ConfigMap": ([daemonset("cilium", container("cilium-agent"))], "unknown", None),
    # 18: kube-router
    "kube-router default": (kube_router("--run-firewall=true"), "overlay-crosssubnet", "overlay"),
    "kube-router subnet": (kube_router("--overlay-type=subnet"), "overlay-crosssubnet", "overlay"),
    "kube-router full": (kube_router("--overlay-type=full"), "overlay", "overlay"),
    "kube-router without overlay": (kube_router("--run-router", "--enable-overlay=false"), "bgp", "bgp"),
    "kube-router without router": (kube_router("--run-router=false"), "none", None),
    "kube-router that is odd": (kube_router("--enable-overlay=perhaps"), "unknown", None),
    "kube-router's last word counts": (kube_router("--enable-overlay=true", "--enable-overlay=0"), "bgp", "bgp"),
    # 19: Kube-OVN
    **{f"kube-ovn {kind}": (kube_ovn(f"--network-type={kind}"), "overlay", "overlay") for kind in ("geneve", "vxlan", "stt")},
    "kube-ovn vlan": (kube_ovn("--network-type=vlan"), "native", "bgp"),
    "kube-ovn default": (kube_ovn(), "overlay", "overlay"),
    "kube-ovn odd": (kube_ovn("--network-type=other"), "unknown", None),
    # 20: Antrea
    "antrea encap": (antrea("trafficEncapMode: encap\n"), "overlay", "overlay"),
    "antrea noEncap": (antrea('trafficEncapMode: "noEncap" # routed\n'), "native", "bgp"),
    "antrea hybrid": (antrea("trafficEncapMode: hybrid\n"), "overlay-crosssubnet", "overlay"),
    "antrea policies": (antrea("trafficEncapMode: networkPolicyOnly\n"), "policy-only", None),
    "antrea commented": (antrea("#trafficEncapMode: noEncap\n"), "overlay", "overlay"),
    "antrea elsewhere in the file": (antrea("multicluster:\n  trafficEncapMode: noEncap\n"), "overlay", "overlay"),
    "antrea another case": (antrea("trafficEncapMode: NoEncap\n"), "native", "bgp"),
    "antrea with a hash": (antrea("trafficEncapMode: noEncap\n", name="antrea-config-6bb22hc7fg"), "native", "bgp"),
    "antrea BGP": (antrea("trafficEncapMode: noEncap\n", resource("BGPPolicy", "crd.antrea.io/v1alpha1")), "bgp", "bgp"),
    "antrea encap and BGP": (antrea("trafficEncapMode: encap\n", resource("BGPPolicy", "crd.antrea.io/v1alpha1")), "overlay", "overlay"),
    "antrea with a template": (antrea("trafficEncapMode: {{ .Values.trafficEncapMode }}\n"), "unknown", None),
    "antrea odd": (antrea("trafficEncapMode: maybe\n"), "unknown", None),
    "antrea that is no YAML": (antrea("a: [\n"), "unknown", None),
    "antrea without its ConfigMap": ([daemonset("antrea-agent", container("antrea-agent"))], "unknown", None),
    # 21 to 23, and the clouds' own
    "weave": ([daemonset("weave-net", container("weave"))], "overlay", "overlay"),
    "ovn-kubernetes that may advertise": ([ovn(OVN_ROUTE_ADVERTISEMENTS_ENABLE="true")], "overlay", "overlay"),
    "ovn-kubernetes by a container, renamed": ([daemonset("net", container("ovnkube-node"))], "overlay", "overlay"),
    "its Open vSwitch": ([daemonset("ovs-node", container("ovs-daemons"), namespace="ovn-kubernetes")], "overlay", "overlay"),
    "its IPsec": ([daemonset("ovn-ipsec", container("ovn-ipsec"), namespace="ovn-kubernetes")], "none", None),
    "ovn-kubernetes": ([daemonset("ovnkube-node", container("ovnkube-node"), namespace="ovn-kubernetes")], "overlay", "overlay"),
    "kindnet": ([daemonset("kindnet", container("kindnet-cni"))], "host-gw", "bgp"),
    "kopeio": ([daemonset("kopeio-networking-agent", container("networking-agent"))], "overlay", "overlay"),
    "kopeio in one segment": ([daemonset("kopeio-networking-agent", container("networking-agent", "--provider=layer2"))], "host-gw", "bgp"),
    "terway": ([daemonset("terway-eniip", container("terway"))], "cloud", None),
    "terway of a hybrid node pool": ([daemonset("terway-hybrid", container("terway"))], "unknown", None),
    "aws": ([daemonset("aws-node", container("aws-node"))], "cloud", None),
    "kube-proxy": ([daemonset("kube-proxy", container("kube-proxy"))], "none", None),
    "a log collector": ([daemonset("fluentd", container("fluentd"))], "none", None),
    "a CNI nobody knows": ([daemonset("my-cni", container("x"), volumes=[{"hostPath": {"path": "/etc/cni/net.d"}}])], "unknown", None),
}  # fmt: skip


@pytest.mark.parametrize(("objects", "mode", "network"), CASES.values(), ids=CASES.keys())
def test_mode_and_network(objects: list[Object], mode: str, network: str | None) -> None:
    found = detect(objects)

    assert [one.reading.mode.value for one in found.daemonsets] == [mode]
    assert found.network == network
    assert all(one.reading.evidence for one in found.daemonsets)
    assert bool(found.look) == (network is None)
