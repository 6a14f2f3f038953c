"""What Terway reads: the keys of eni_conf, of the CNI files and of the ConfigMap, and their types.

types/daemon/config.go (the Config structure), cmd/terway-cli/cni.go and node.go, plugin/terway,
at v1.17.5. The one list of names: every rule asks here.
"""

from __future__ import annotations

from webhook.eni.shapes import (
    BOOL,
    FLOAT32,
    FLOAT64,
    INT,
    OPTIONAL_BOOL,
    OPTIONAL_INT,
    OPTIONAL_STRING,
    STRING,
    ListOf,
    MapOf,
    Shape,
    Struct,
)

ENI_CONF = "eni_conf"
CNI_CONF = "10-terway.conf"
CNI_CONFLIST = "10-terway.conflist"
POLICY_SWITCH = "disable_network_policy"
IN_CLUSTER_LB = "in_cluster_loadbalance"
DATA_KEYS = (
    ENI_CONF,
    CNI_CONF,
    CNI_CONFLIST,
    POLICY_SWITCH,
    IN_CLUSTER_LB,
    "felix_relay_service",
    "cni_chain",
)
CREDENTIALS = ("access_key", "access_secret")

BACKOFF = Struct(
    {
        "InitialDelay": INT,
        "Duration": INT,
        "Factor": FLOAT64,
        "Jitter": FLOAT64,
        "Steps": INT,
        "Cap": INT,
    }
)

CONFIG = Struct(
    {
        "version": STRING,
        "access_key": STRING,
        "access_secret": STRING,
        "region_id": STRING,
        "credential_path": STRING,
        "service_cidr": STRING,
        "vswitches": MapOf(ListOf(STRING)),
        "eni_tags": MapOf(STRING),
        "max_pool_size": INT,
        "min_pool_size": INT,
        "ip_warm_up_size": OPTIONAL_INT,
        "idle_ip_reclaim_after": OPTIONAL_STRING,
        "idle_ip_reclaim_interval": OPTIONAL_STRING,
        "idle_ip_reclaim_batch_size": INT,
        "idle_ip_reclaim_jitter_factor": OPTIONAL_STRING,
        "min_eni": INT,
        "max_eni": INT,
        "prefix": STRING,
        "security_group": STRING,
        "security_groups": ListOf(STRING),
        "eni_cap_ratio": FLOAT64,
        "eni_cap_shift": INT,
        "vswitch_selection_policy": STRING,
        "eni_selection_policy": STRING,
        "enable_eni_trunking": BOOL,
        "enable_erdma": BOOL,
        "custom_stateful_workload_kinds": ListOf(STRING),
        "ip_stack": STRING,
        "ipam_type": STRING,
        "disable_device_plugin": BOOL,
        "backoff_override": MapOf(BACKOFF),
        "extra_routes": ListOf(Struct({"dst": STRING})),
        "eni_tag_filter": MapOf(STRING),
        "eni_tag_block_list": ListOf(Struct({"key": STRING, "value": STRING})),
        "kube_client_qps": FLOAT32,
        "kube_client_burst": INT,
        "resource_group_id": STRING,
        "rate_limit": MapOf(INT),
        "enable_patch_pod_ips": OPTIONAL_BOOL,
        "ip_pool_sync_period": STRING,
        "enable_ip_prefix": BOOL,
        "ipv4_prefix_count": INT,
        "ipv6_prefix_count": INT,
    }
)

# Keys that once did something, and the last release that read them.
REMOVED = {
    "hot_plug": "v1.0.10",
    "enable_eip_pool": "v1.9.3",
    "allow_eip_rob": "v1.9.3",
    "enable_eip_migrate": "v1.9.3",
    "wait_trunk_eni": "v1.9.3",
    "disable_security_group_check": "v1.9.3",
    "eni_cap_policy": "v1.10.0",
    "region_id": "v1.13.6",
}
# Keys in the structure that nothing reads.
UNREAD = ("prefix", "extra_routes")
# Keys that a node-level override cannot change (daemon/builder.go:87-119).
BASE_ONLY = ("service_cidr", "kube_client_qps", "kube_client_burst", "enable_patch_pod_ips")

# What people write for a key, where the distance alone would not lead there.
ALIASES = {
    "access_key_id": "access_key",
    "accesskeyid": "access_key",
    "accesskey": "access_key",
    "ak": "access_key",
    "access_key_secret": "access_secret",
    "accesskeysecret": "access_secret",
    "accesssecret": "access_secret",
    "secret_key": "access_secret",
    "sk": "access_secret",
    "vswitch": "vswitches",
    "vswitch_ids": "vswitches",
    "vswitch_id": "vswitches",
    "vswitchids": "vswitches",
    "security_group_ids": "security_groups",
    "security_group_id": "security_group",
    "securitygroup": "security_group",
    "securitygroups": "security_groups",
    "service_cidrs": "service_cidr",
    "servicecidr": "service_cidr",
    "tags": "eni_tags",
}

# The CNI file. Only what some reader decodes into a Go type has a type here.
SYMMETRIC_CONFIG = Struct(
    {
        "interface": STRING,
        "mark": INT,
        "mask": INT,
        "table_id": INT,
        "rule_priority": INT,
        "comment": STRING,
        "backend": STRING,
    }
)
CNI_PLUGIN: dict[str, Shape] = {
    "network_policy_provider": STRING,
    "host_stack_cidrs": ListOf(STRING),
    "cilium_args": STRING,
    "cilium_enable_hubble": STRING,
    "cilium_hubble_metrics": STRING,
    "cilium_hubble_listen_address": STRING,
    "cilium_hubble_metrics_server": STRING,
    "capabilities": MapOf(BOOL),
    "mtu": INT,
    "vlan_strip_type": STRING,
    "enable_network_priority": BOOL,
    "disable_host_peer": BOOL,
    "debug": BOOL,
    "symmetric_routing_config": SYMMETRIC_CONFIG,
}
# Keys that only the CNI file knows, as a hint for one found in eni_conf.
CNI_ONLY = (*CNI_PLUGIN, "cniVersion", "eniip_virtual_type", "symmetric_routing", "auto_mtu")

RATE_LIMIT_APIS = frozenset(
    {
        "",
        "AssignIpv6Addresses",
        "AssignLeniPrivateIpAddress",
        "AssignPrivateIpAddresses",
        "AttachElasticNetworkInterface",
        "AttachHighDensityElasticNetworkInterface",
        "AttachNetworkInterface",
        "CreateElasticNetworkInterface",
        "CreateHighDensityElasticNetworkInterface",
        "CreateNetworkInterface",
        "DeleteElasticNetworkInterface",
        "DeleteHighDensityElasticNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeInstanceTypes",
        "DescribeNetworkInterfaceAttribute",
        "DescribeNetworkInterfaces",
        "DescribeVSwitches",
        "DetachElasticNetworkInterface",
        "DetachHighDensityElasticNetworkInterface",
        "DetachNetworkInterface",
        "GetNodeInfoForPod",
        "ListElasticNetworkInterfaces",
        "ListHighDensityElasticNetworkInterfaces",
        "UnassignIpv6Addresses",
        "UnassignPrivateIpAddresses",
    }
)
BACKOFF_KEYS = frozenset(
    {
        "",
        "eni_create",
        "eni_ip_ops",
        "eni_ops",
        "eni_release",
        "meta_assign_private_ip",
        "meta_unassign_private_ip",
        "wait_eni_status",
        "wait_podeni_status",
        "wait_sts_token_ready",
    }
)

CALICO_GROUP = "crd.projectcalico.org"
CALICO_CRDS = (
    "felixconfigurations",
    "bgpconfigurations",
    "ippools",
    "hostendpoints",
    "clusterinformations",
    "globalnetworkpolicies",
    "globalnetworksets",
    "networkpolicies",
)
