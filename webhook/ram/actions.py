"""The API actions that Terway calls, with their callers at v1.17.5.

docs/ecs.md:14-33 lists eleven; pkg/aliyun/client/ecs.go and vpc_service.go call them. The list of
the vendor's page for registered clusters lacks DescribeInstanceTypes, which every release since
v1.1.0 calls when it starts, and the two IPv6 actions; three of its actions are no longer called.
"""

from __future__ import annotations

ALWAYS = {
    "ecs:CreateNetworkInterface": "makes ENIs",
    "ecs:DescribeNetworkInterfaces": "finds the ENIs of a node",
    "ecs:AttachNetworkInterface": "attaches ENIs",
    "ecs:DetachNetworkInterface": "detaches ENIs",
    "ecs:DeleteNetworkInterface": "deletes ENIs",
    "ecs:AssignPrivateIpAddresses": "gives pods addresses",
    "ecs:UnassignPrivateIpAddresses": "takes addresses back",
    "ecs:DescribeInstanceTypes": "learns how many ENIs a node may have, at each start",
    "vpc:DescribeVSwitches": "picks a vSwitch with free addresses",
}
DUAL_STACK = {
    "ecs:AssignIpv6Addresses": "gives pods IPv6 addresses",
    "ecs:UnassignIpv6Addresses": "takes IPv6 addresses back",
}
# Called behind a feature gate that is off by default, since v1.17.2.
OPTIONAL = {"ecs:DescribeNetworkInterfaceAttribute": "only with the gate ENIAttributeBasic"}
# The last release that called it.
OBSOLETE = {
    "ecs:DescribeInstanceAttribute": "v1.6.4",
    "ecs:DescribeInstances": "v1.6.4",
    "ecs:ModifyNetworkInterfaceAttribute": "v1.9",
}


def needed(*, dual: bool) -> dict[str, str]:
    """Return the actions the scenario needs, each with what for."""
    return ALWAYS | DUAL_STACK if dual else dict(ALWAYS)
