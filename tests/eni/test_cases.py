"""Each rule on documents that are right but for one thing: level, path, and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.eni.samples import CNI, ID, SECRET, cni, conf, judge, listed, raw, read, told
from webhook.eni import lint

LTAI_ONLY = "LTAI5tQ7WmZk3VxR9pHsN2BdXYZ0123"
ENCODED = "TFRBSTV0UTdXbVprM1Z4UjlwSHNOMkJk"


@dataclass(frozen=True)
class Case:
    """Data, and what the rule says of it: `level path`, and a piece of the message."""

    rule: str
    data: Any
    said: str
    piece: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def case(rule: str, data: Any, said: str, piece: str = "", **options: Any) -> Case:
    return Case(rule, data, said, piece, options)


def sgs(count: int) -> list[str]:
    return [f"sg-{n}" for n in range(count)]


def over(**fields: Any) -> dict[str, Any]:
    return {"eni_conf": json.dumps(fields)}


PART = {"partial": True}
AUDITS_ONLY = ("ENI030", "ENI124", "ENI134")  # never a warning that kubectl would cut
CASES = [
    case("ENI001", {"10-terway.conf": CNI}, "error data.eni_conf", "missing or empty"),
    case("ENI001", raw(" \n"), "error data.eni_conf"),
    case("ENI002", {"eni_conf": conf()["eni_conf"]}, "error data.10-terway.conf", "opens it even"),
    case("ENI002", {**conf(), "10-terway.conf": " "}, "error data.10-terway.conf"),
    case("ENI003", raw('{\n "a": 1,\n}'), "error eni_conf", "line 3 column 1: a comma stands before"),
    case("ENI003", {**conf(), "10-terway.conf": "{'type': 'terway'}"}, "error 10-terway.conf", "straight double quotes"),
    case("ENI003", {**conf(), "10-terway.conflist": ""}, "", ""),
    case("ENI003", {**conf(), "10-terway.conflist": " "}, "error 10-terway.conflist", "the text ends"),
    case("ENI003", raw("\ufeff{}"), "error eni_conf", "byte-order mark"),
    case("ENI004", conf(access_key="{{ .Values.key }}"), "error eni_conf.access_key", "template"),
    case("ENI004", conf(service_cidr="${CIDR}"), "error eni_conf.service_cidr"),
    case("ENI004", conf(access_secret="$SECRET"), "error eni_conf.access_secret"),
    case("ENI004", conf(vswitches={"cn-hangzhou-g": ["%(vsw)s"]}), "error eni_conf.vswitches.cn-hangzhou-g[0]"),
    case("ENI004", raw('{\n "vswitches": {{ .Vsw }},\n "a": 1}'), "error eni_conf.vswitches"),
    case("ENI004", cni(eniip_virtual_type="{{.Type}}"), "error 10-terway.conf.eniip_virtual_type"),
    case("ENI005", raw("[]"), "error eni_conf", "found an array"),
    case("ENI005", raw("true"), "error eni_conf", "found a boolean"),
    case("ENI005", {**conf(), "10-terway.conf": "null"}, "error 10-terway.conf", "found a null"),
    case("ENI006", raw('{"a":1,\n"a":2}'), "error eni_conf.a", "twice (lines 1 and 2)"),
    case("ENI006", raw('{"a":{"b":1,"b":2,"b":3}}'), "error eni_conf.a.b", "3 times (line 1)"),
    case("ENI006", {**conf(), "10-terway.conf": '{"type":"x","type":"terway"}'}, "error 10-terway.conf.type"),
    case("ENI007", conf(Access_Key=ID), "error eni_conf.Access_Key", "write access_key"),
    case("ENI007", conf(backoff_override={"eni_ops": {"Steps": 3, "steps": 2}}), "error eni_conf.backoff_override.eni_ops.steps", "write Steps"),
    case("ENI007", conf(eni_tag_block_list=[{"Key": "x"}]), "error eni_conf.eni_tag_block_list[0].Key"),
    case("ENI007", cni(ENIIP_Virtual_Type="ipvlan"), "error 10-terway.conf.ENIIP_Virtual_Type", "write eniip_virtual_type"),
    case("ENI008", conf(access_key_id="x"), "warning eni_conf.access_key_id", "did you mean access_key?"),
    case("ENI008", conf(max_pool_sizes=3), "warning eni_conf.max_pool_sizes", "did you mean max_pool_size?"),
    case("ENI008", conf(frobnicate=3), "warning eni_conf.frobnicate", "is ignored"),
    case("ENI009", conf(hot_plug="x"), "warning eni_conf.hot_plug", "not read after Terway v1.0.10"),
    case("ENI009", conf(prefix="x"), "warning eni_conf.prefix", "never read"),
    case("ENI009", conf(region_id="cn-hangzhou"), "warning eni_conf.region_id"),
    case("ENI010", conf(max_pool_size="5"), "error eni_conf.max_pool_size", "must be a whole number, found a string"),
    case("ENI010", conf(max_pool_size=5.0), "error eni_conf.max_pool_size", "found the number 5.0"),
    case("ENI010", conf(max_pool_size=True), "error eni_conf.max_pool_size", "found true"),
    case("ENI010", conf(version=1), "error eni_conf.version", "must be a string, found the number 1"),
    case("ENI010", conf(security_groups="sg-1"), "error eni_conf.security_groups", "a list of strings, found a string"),
    case("ENI010", conf(vswitches={"cn-hangzhou-g": "vsw-1"}), "error eni_conf.vswitches.cn-hangzhou-g", "found a string"),
    case("ENI010", raw('{"min_pool_size":9223372036854775808}'), "error eni_conf.min_pool_size", "a number out of range"),
    case("ENI010", conf(Max_Pool_Size="5"), "error eni_conf.Max_Pool_Size", "found a string"),
    case("ENI010", cni(capabilities={"bandwidth": "true"}), "error 10-terway.conf.capabilities.bandwidth", "true or false"),
    case("ENI010", cni(cilium_enable_hubble=True), "error 10-terway.conf.cilium_enable_hubble", "must be a string"),
    case("ENI010", cni(host_stack_cidrs="1.2.3.4/32"), "error 10-terway.conf.host_stack_cidrs"),
    case("ENI010", listed({"type": "terway", "mtu": "1500"}), "error 10-terway.conflist.plugins[0].mtu"),
    case("ENI011", cni(ip_stack="dual"), "warning 10-terway.conf.ip_stack", "eni_conf only"),
    case("ENI011", conf(eniip_virtual_type="veth"), "warning eni_conf.eniip_virtual_type", "CNI file only"),
    case("ENI012", {**conf(), "eni-conf": "{}"}, "warning data.eni-conf", "did you mean eni_conf?"),
    case("ENI012", {**conf(), "access_key": "x"}, "warning data.access_key", "inside eni_conf"),
    case("ENI012", {**conf(), "whatever": "x"}, "warning data.whatever", "not read by Terway"),
    case("ENI013", conf(), "error binaryData.eni_conf", "data only", binaryData={"eni_conf": "e30="}),
    case("ENI014", {**conf(), "disable_network_policy": True}, "error data.disable_network_policy", "found a boolean"),
    case("ENI014", {**conf(), "in_cluster_loadbalance": 1}, "error data.in_cluster_loadbalance", "found a number"),
    case("ENI014", {**conf(), "10-terway.conf": {"type": "terway"}}, "error data.10-terway.conf", "found a mapping"),
    case("ENI015", conf(), "warning immutable", "rotated", immutable=True),
    case("ENI020", conf(access_key="", access_secret=" "), "error eni_conf.access_key", "cannot create ENIs"),
    case("ENI020", conf("access_key", "access_secret"), "error eni_conf.access_key"),
    case("ENI020", conf("access_key", "access_secret", ipam_type="crd"), "warning eni_conf.access_key", "crd mode"),
    case("ENI020", raw("null"), "error eni_conf.access_key"),
    case("ENI021", conf(access_secret=None), "error eni_conf.access_secret", "although access_key is set"),
    case("ENI021", conf("access_key"), "error eni_conf.access_key", "although access_secret is set"),
    case("ENI022", conf(access_key="ak"), "error eni_conf.access_key", "placeholder"),
    case("ENI022", conf(access_secret="x" * 30), "error eni_conf.access_secret"),
    case("ENI022", conf(access_key="<your-AccessKey>"), "error eni_conf.access_key"),
    case("ENI022", conf(access_key="yourAccessKeyIdGoesHere"), "error eni_conf.access_key"),
    case("ENI022", conf(access_key="LTAI****************"), "error eni_conf.access_key"),
    case("ENI023", conf(access_secret=SECRET + "\n"), "error eni_conf.access_secret", "ends with a line break"),
    case("ENI023", conf(access_key=" " + ID), "error eni_conf.access_key", "begins with a blank"),
    case("ENI023", conf(access_key=ID[:9] + "\u200b" + ID[9:]), "error eni_conf.access_key", "ASCII"),
    case("ENI023", conf(access_key=ID + " "), "error eni_conf.access_key", "ends with a blank"),
    case("ENI024", conf(access_key="0wNEpMMlzy7szvai"), "warning eni_conf.access_key", "16 characters"),
    case("ENI024", conf(access_key=LTAI_ONLY), "warning eni_conf.access_key", "31 characters"),
    case("ENI025", conf(access_secret=SECRET[:-1]), "warning eni_conf.access_secret", "29 characters"),
    case("ENI026", conf(access_key="STS.NUq7WmZk3VxR9pHsN2BdT4yLc"), "error eni_conf.access_key", "token"),
    case("ENI027", conf(access_key=SECRET, access_secret=ID), "error eni_conf.access_key", "swapped"),
    case("ENI028", conf(access_key=ENCODED), "error eni_conf.access_key", "base64"),
    case("ENI028", conf(access_secret="azlUcVd6NExtWHY3UmJZYzJQbkhzOEpkRmczQWVV"), "error eni_conf.access_secret"),
    case("ENI029", conf(credential_path="/x"), "warning eni_conf.credential_path", "managed"),
    case("ENI030", conf(), "note metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "a copy",
         annotations={"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": conf()})}),
    case("ENI030", conf(access_key=ID[::-1] + "L"), "warning metadata.annotations.kubectl.kubernetes.io/last-applied-configuration", "no longer",
         annotations={"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": conf()})}),
    case("ENI040", conf("vswitches"), "warning eni_conf.vswitches", "own vSwitch"),
    case("ENI040", conf(vswitches={}), "warning eni_conf.vswitches"),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vpc-bp1"]}), "error eni_conf.vswitches.cn-hangzhou-g[0]", "a VPC ID"),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vsw-1", ""]}), "error eni_conf.vswitches.cn-hangzhou-g[1]", "an empty text"),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vsw-A"]}), "error eni_conf.vswitches.cn-hangzhou-g[0]", '"vsw-A" begins as a vSwitch ID, but has a character that no ID has'),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vsw-bp1..."]}), "error eni_conf.vswitches.cn-hangzhou-g[0]", '"vsw-bp1..." begins as a vSwitch ID, but is cut off'),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vsw-"]}), "error eni_conf.vswitches.cn-hangzhou-g[0]", "is cut off"),
    case("ENI041", conf(vswitches={"cn-hangzhou-g": ["vsw-" + "a1" * 14]}), "error eni_conf.vswitches.cn-hangzhou-g[0]", "is too long: 30 characters at most, not 32"),
    case("ENI042", conf(vswitches={"cn-hangzhou": ["vsw-1"]}), "error eni_conf.vswitches.cn-hangzhou", "region"),
    case("ENI042", conf(vswitches={"us-west-1": ["vsw-1"]}), "error eni_conf.vswitches.us-west-1", "region"),
    case("ENI042", conf(vswitches={"g": ["vsw-1"]}), "warning eni_conf.vswitches.g", "no zone"),
    case("ENI043", conf(vswitches={"cn-hangzhou-g": ["vsw-1", "vsw-1"]}), "warning eni_conf.vswitches.cn-hangzhou-g[1]", "already"),
    case("ENI044", conf(vswitches={"cn-hangzhou-g": []}), "warning eni_conf.vswitches.cn-hangzhou-g", "no vSwitch"),
    case("ENI044", conf(vswitches={"cn-hangzhou-g": None}), "warning eni_conf.vswitches.cn-hangzhou-g"),
    case("ENI045", conf("security_group"), "warning eni_conf.security_group", "primary ENI"),
    case("ENI045", conf("security_group", ipam_type="crd"), "error eni_conf.security_group", "refused"),
    case("ENI046", conf(security_group="vsw-1"), "error eni_conf.security_group", "a vSwitch ID"),
    case("ENI046", conf(security_groups=["sg-1", "foo"]), "error eni_conf.security_groups[1]", 'found "foo", not a security group ID (sg-...)'),
    case("ENI046", conf(security_group="sg-bp1..."), "error eni_conf.security_group", '"sg-bp1..." begins as a security group ID, but is cut off'),
    case("ENI046", conf(security_group="sg-bp_1"), "error eni_conf.security_group", "has a character that no ID has"),
    case("ENI047", conf(security_groups=sgs(6)), "warning eni_conf.security_groups", "7 security groups"),
    case("ENI047", conf(security_groups=sgs(10)), "error eni_conf.security_groups", "11 security groups"),
    case("ENI047", conf("security_group", security_groups=["sg-1"] * 11), "error eni_conf.security_groups", "11"),
    case("ENI048", conf(security_group="sg-xxx"), "error eni_conf.security_group", "sample"),
    case("ENI048", conf(vswitches={"cn-hangzhou-g": ["vsw-foo"]}), "error eni_conf.vswitches.cn-hangzhou-g[0]"),
    case("ENI050", conf(service_cidr="172.16.0/16"), "error eni_conf.service_cidr", '"172.16.0/16" is no CIDR'),
    case("ENI050", conf(service_cidr="10.0.0.0/8, fd00::/112"), "error eni_conf.service_cidr", "a blank beside the comma"),
    case("ENI050", conf(service_cidr="10.0.0.0/8,"), "error eni_conf.service_cidr", "a comma too many"),
    case("ENI050", conf(service_cidr="10.0.0.0/255.0.0.0"), "error eni_conf.service_cidr"),
    case("ENI051", conf("service_cidr"), "warning eni_conf.service_cidr", "kubeadm-config"),
    case("ENI052", conf(service_cidr="10.0.0.0/8,172.16.0.0/12"), "error eni_conf.service_cidr", "one family"),
    case("ENI052", conf(service_cidr="fd00::/112"), "error eni_conf.service_cidr", "no IPv4"),
    case("ENI053", conf(service_cidr="10.96.0.1/12"), "warning eni_conf.service_cidr", "means 10.96.0.0/12"),
    case("ENI053", conf(service_cidr="10.96.0.0/12,fd00::/112"), "warning eni_conf.service_cidr", "although ip_stack is ipv4"),
    case("ENI060", conf(ip_stack="ipv6"), "error eni_conf.ip_stack", '"ipv6" stops terwayd'),
    case("ENI060", conf(ip_stack="Dual"), "error eni_conf.ip_stack"),
    case("ENI061", conf(vswitch_selection_policy="most"), "warning eni_conf.vswitch_selection_policy", "acts as random"),
    case("ENI062", conf(eni_selection_policy="least"), "warning eni_conf.eni_selection_policy", "acts as most_ips"),
    case("ENI063", conf(ipam_type="CRD"), "error eni_conf.ipam_type", "the legacy allocator runs"),
    case("ENI063", conf(ipam_type="preferCRD"), "warning eni_conf.ipam_type"),
    case("ENI064", conf(min_pool_size=-1), "error eni_conf.min_pool_size", "negative"),
    case("ENI064", conf(eni_cap_ratio=-0.5), "error eni_conf.eni_cap_ratio"),
    case("ENI065", conf(min_pool_size=10), "warning eni_conf.min_pool_size", "10 is cut to max_pool_size 5"),
    case("ENI065", conf(ip_warm_up_size=6), "warning eni_conf.ip_warm_up_size", "wasted"),
    case("ENI066", conf(eni_cap_ratio=1.01), "warning eni_conf.eni_cap_ratio"),
    case("ENI067", conf(kube_client_qps=20), "error eni_conf.kube_client_burst", "panics"),
    case("ENI067", conf(kube_client_qps=20.5, kube_client_burst=20), "warning eni_conf.kube_client_burst", "not above"),
    case("ENI068", conf(idle_ip_reclaim_after="60"), "error eni_conf.idle_ip_reclaim_after", "no duration"),
    case("ENI068", conf(idle_ip_reclaim_interval=""), "error eni_conf.idle_ip_reclaim_interval"),
    case("ENI068", conf(ip_pool_sync_period="1d"), "warning eni_conf.ip_pool_sync_period", "120s"),
    case("ENI069", conf(idle_ip_reclaim_jitter_factor="10%"), "error eni_conf.idle_ip_reclaim_jitter_factor", "no number"),
    case("ENI069", conf(idle_ip_reclaim_jitter_factor="1.5"), "warning eni_conf.idle_ip_reclaim_jitter_factor", "between 0 and 1"),
    case("ENI069", conf(idle_ip_reclaim_jitter_factor="NaN"), "warning eni_conf.idle_ip_reclaim_jitter_factor"),
    case("ENI070", conf(idle_ip_reclaim_batch_size=11), "warning eni_conf.idle_ip_reclaim_batch_size", "1 to 10"),
    case("ENI071", conf(rate_limit={"DescribeVSwitches": 0}), "error eni_conf.rate_limit.DescribeVSwitches", "blocks"),
    case("ENI071", conf(rate_limit={"Describe": 5}), "warning eni_conf.rate_limit.Describe"),
    case("ENI072", conf(backoff_override={"eni_ops": {"Duration": 5}}), "error eni_conf.backoff_override.eni_ops.Steps", "never run"),
    case("ENI072", conf(backoff_override={"eni_ops": None}), "error eni_conf.backoff_override.eni_ops.Steps"),
    case("ENI072", conf(backoff_override={"eni_ops": {"Duration": "10s", "Steps": 1}}), "error eni_conf.backoff_override.eni_ops.Duration", "nanoseconds"),
    case("ENI072", conf(backoff_override={"mine": {"Steps": 1}}), "warning eni_conf.backoff_override.mine"),
    case("ENI072", conf(backoff_override={"eni_ops": {"Steps": 1, "Max": 1}}), "warning eni_conf.backoff_override.eni_ops.Max"),
    case("ENI073", conf(eni_tags={"creator": "me"}), "warning eni_conf.eni_tags.creator", "overwritten"),
    case("ENI073", conf(eni_tags={"acs:x": "1"}), "warning eni_conf.eni_tags.acs:x"),
    case("ENI074", conf(ipam_type="crd", enable_ip_prefix=True, ipv6_prefix_count=2), "error eni_conf.ipv6_prefix_count"),
    case("ENI074", conf(enable_ip_prefix=True), "warning eni_conf.enable_ip_prefix", "ipam_type crd"),
    case("ENI074", conf(ipv4_prefix_count=5), "warning eni_conf.ipv4_prefix_count", "enable_ip_prefix"),
    case("ENI100", cni(type="Terway"), "error 10-terway.conf.type", 'found "Terway"'),
    case("ENI100", cni(type=None), "error 10-terway.conf.type", "found no text"),
    case("ENI100", listed({"type": "terway-plugin"}), "error 10-terway.conflist.plugins[0].type"),
    case("ENI101", cni(eniip_virtual_type="datapath-v2"), "error 10-terway.conf.eniip_virtual_type", "invalid datapath"),
    case("ENI102", cni(eniip_virtual_type="IPVlan"), "warning 10-terway.conf.eniip_virtual_type", "retired"),
    case("ENI103", cni(host_stack_cidrs=["10.0.0.0/8", "169.254.20.10"]), "error 10-terway.conf.host_stack_cidrs[1]", "no CIDR"),
    case("ENI104", cni(network_policy_provider="eBPF"), "warning 10-terway.conf.network_policy_provider", "runs Felix"),
    case("ENI105", cni(symmetric_routing_config={"backend": "ipvs"}), "error 10-terway.conf.symmetric_routing_config.backend"),
    case("ENI105", cni(symmetric_routing="true"), "warning 10-terway.conf.symmetric_routing", "so it is off"),
    case("ENI105", cni(symmetric_routing_config={"mark": 0}), "warning 10-terway.conf.symmetric_routing_config.mark"),
    case("ENI106", cni(cniVersion="2.0"), "warning 10-terway.conf.cniVersion"),
    case("ENI107", listed(), "error 10-terway.conflist.plugins", "at least one"),
    case("ENI107", {**conf(), "10-terway.conflist": "{}"}, "error 10-terway.conflist.plugins", "is missing"),
    case("ENI107", listed({"type": "terway"}, {"name": "x"}), "error 10-terway.conflist.plugins[1]"),
    case("ENI107", cni(plugins=[]), "error 10-terway.conf.plugins", "at least one"),
    case("ENI108", listed({"type": "cilium-cni"}, {"type": "terway"}), "warning 10-terway.conflist.plugins[0]", "after terway"),
    case("ENI109", cni(bandwidth_mode="edt"), "warning 10-terway.conf.bandwidth_mode"),
    case("ENI120", {**conf(), "disable_network_policy": "False"}, "error data.disable_network_policy", "turns NetworkPolicy OFF"),
    case("ENI120", {**conf(), "disable_network_policy": "false\n"}, "error data.disable_network_policy", "\\n"),
    case("ENI120", {**conf(), "disable_network_policy": "0"}, "warning data.disable_network_policy", "is on"),
    case("ENI121", {**conf(), "in_cluster_loadbalance": "True"}, "warning data.in_cluster_loadbalance"),
    case("ENI122", {"eni_conf": conf()["eni_conf"], "10-terway.conf": CNI}, "warning data.disable_network_policy", "upstream Terway reads that as ON"),
    case("ENI123", {**conf(), "disable_network_policy": "false"}, "warning data.disable_network_policy", "8 Calico CRDs"),
    case("ENI123", {"eni_conf": conf()["eni_conf"], "10-terway.conf": CNI}, "warning data.disable_network_policy", before=read(conf())),
    case("ENI124", {**conf(), "disable_network_policy": "false"}, "warning data.disable_network_policy", "felixconfigurations, bgpconfigurations",
         crds=frozenset()),
    case("ENI130", {"eni_conf": "[]"}, "error data.eni_conf", "found an array", **PART),
    case("ENI130", {"eni_conf": "null"}, "error data.eni_conf", "", **PART),
    case("ENI131", over(service_cidr="10.0.0.0/8"), "warning eni_conf.service_cidr", "eni-config only", **PART),
    case("ENI131", {**over(), "10-terway.conf": CNI}, "warning data.10-terway.conf", "", **PART),
    case("ENI131", over(ip_stack="dual"), "warning eni_conf.ip_stack", "in part", **PART),
    case("ENI132", over(access_key=None), "error eni_conf.access_key", "away", **PART),
    case("ENI132", over(access_key=""), "error eni_conf.access_key", "away", **PART),
    case("ENI132", {"eni_conf": '{"access_key": "x", "access_key": null}'}, "error eni_conf.access_key", "away", **PART),
    case("ENI132", over(access_key=ID), "error eni_conf.access_secret", "missing beside access_key", **PART),
    case("ENI133", over(security_groups=sgs(10)), "error data.eni_conf", "as merged with eni-config: ENI047", base=read(conf()), **PART),
    case("ENI134", conf(), "warning metadata.name", "2 nodes are labelled terway-config=pool-b", named={"pool-a": 1, "pool-b": 2},
         overrides=frozenset({"pool-a"})),
    case("ENI140", conf(), "error metadata.name", "cannot start", deleting=True),
]  # fmt: skip


@pytest.mark.parametrize("given", CASES, ids=[f"{n}-{case.rule}" for n, case in enumerate(CASES)])
def test_each_rule_speaks_of_its_own_mistake(given: Case) -> None:
    known = {
        name: given.options[name]
        for name in ("base", "crds", "named", "overrides")
        if name in given.options
    }
    options = {name: value for name, value in given.options.items() if name not in known}
    document = read(given.data, **options)
    found = lint.lint(lint.around(document, **known))
    own = [finding for finding in found if finding.rule == given.rule]

    said = [f"{finding.level} {finding.message.partition(': ')[0]}" for finding in own]
    assert said == ([given.said] if given.said else [])
    for finding in own:
        assert given.piece in finding.message
        assert finding.fix
        assert finding.object is not None
        assert len(str(finding)) <= 120 or finding.level == "error" or given.rule in AUDITS_ONLY


FINE = [
    conf(), conf(ip_stack="dual", service_cidr="172.21.0.0/20,fd00::/112"), conf(max_pool_size=None), conf(ip_warm_up_size=None),
    conf(vswitches={"eu-central-1a": ["vsw-1"], "cn-hangzhou-g": ["vsw-2"]}), conf(kube_client_qps=20, kube_client_burst=30),
    conf(idle_ip_reclaim_after="1h30m", idle_ip_reclaim_jitter_factor="0.1"), conf(ipam_type="crd", enable_ip_prefix=True),
    conf(backoff_override={"eni_create": {"Steps": 3, "Duration": 1000000000, "Factor": 1.5}}), conf(eni_cap_shift=-1),
    conf(eni_tag_filter={"creator": "terway"}), conf(rate_limit={"": 100, "DescribeVSwitches": 1}), conf(access_key="LTAI" + "7Q9zK3vB" * 2),
    cni(eniip_virtual_type="DataPathV2"), cni(capabilities={"bandwidth": True}), cni(cniVersion="1.0.0"), cni(mtu=1500, auto_mtu="x"),
    listed({"type": "terway"}, {"type": "cilium-cni"}, {"type": "portmap", "capabilities": {"portMappings": True}}),
    {**conf(), "felix_relay_service": "calico-typha", "in_cluster_loadbalance": "true"},
    conf(access_secret="testX9TqWz4LmXv7RbYc2PnHs8JdFg"),
]  # fmt: skip


@pytest.mark.parametrize("data", FINE, ids=[str(n) for n in range(len(FINE))])
def test_what_is_right_is_left_alone(data: dict[str, Any]) -> None:
    assert told(data) == []


@pytest.mark.parametrize(
    "data",
    [over(), over(max_pool_size=10), over(vswitches={"cn-hangzhou-g": None}), {"eni_conf": ""},
     over(access_key=ID, access_secret=SECRET), over(enable_ip_prefix=True, ipv4_prefix_count=5)],
)  # fmt: skip
def test_an_override_needs_no_key_at_all(data: dict[str, Any]) -> None:
    assert told(data, partial=True) == []


def test_modes_say_where_credentials_may_come_from() -> None:
    blank = conf(access_key="", access_secret="")

    assert told(blank, "secret-or-inline") == ["warning ENI020 eni_conf.access_key"]
    assert told(conf("access_key"), "secret-or-inline") == ["error ENI021 eni_conf.access_key"]
    assert told(blank, "off") == []
    assert told(conf(access_key="ak"), "off") == []


def test_errors_come_first_and_a_template_before_its_syntax_error() -> None:
    text = '{\n "frob": 1,\n "service_cidr": {{ .Cidr }}\n}'
    found = told({"eni_conf": text, "10-terway.conf": '{"type": "Terway"}'})

    assert found == [
        "error ENI004 eni_conf.service_cidr",
        "error ENI003 eni_conf",
        "error ENI100 10-terway.conf.type",
        "warning ENI122 data.disable_network_policy",
    ]


def test_an_update_hears_only_of_warnings_it_made() -> None:
    old = conf(frobnicate=1, service_cidr="10.96.0.1/12")

    assert told(conf(frobnicate=1, service_cidr="10.96.0.1/12", max_eni=3), before=read(old)) == []
    assert told(conf(frobnicate=1, service_cidr="10.96.0.2/12"), before=read(old)) == [
        "warning ENI053 eni_conf.service_cidr"
    ]
    assert told(conf(frobnicate=2, service_cidr="10.96.0.1/12"), before=read(old)) == [
        "warning ENI008 eni_conf.frobnicate"
    ]
    assert told(conf(max_pool_size="5"), before=read(conf(max_pool_size="5"))) == [
        "error ENI010 eni_conf.max_pool_size"
    ]


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (raw('{\n  "version": "1",\n  "Max_ENI": 3,\n  "max_pool_size":  "5"}'), 3, 3),
        (raw('{"version": 1,\r\n"ip_stack": "x"}'), 1, 13),
        (raw('{"security_groups": ["sg-1",\n\n   "foo"]}'), 3, 4),
        (raw('{\n "a": 1,\n "a": 2}'), 3, 2),
        (raw('{"x": "é", "ip_stack": "ipv6"}'), 1, 24),
        (raw('{\n "vswitches": {{ .A }}}'), 2, 15),
    ],
)
def test_a_finding_points_at_the_key_or_value_at_fault(data: Any, line: int, column: int) -> None:
    finding = next(finding for finding in judge(data) if finding.location.line)

    assert (finding.location.line, finding.location.column) == (line, column)
    assert finding.location.pointer == "/data/eni_conf"


def test_a_finding_of_a_data_key_points_at_the_key() -> None:
    (finding,) = judge({**conf(), "a/b~c": "x"})

    assert finding.location.pointer == "/data/a~1b~0c"
    assert finding.location.line is None
