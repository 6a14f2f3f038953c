"""The nodes that tests place pods on: a hybrid cluster in small.

KWOK plays their kubelets. Labels are those a kubelet sets itself, the old beta ones included,
since real manifests still select on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CLOUD_LABEL = "alibabacloud.com/external"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node to create; what is not said is a Linux machine on amd64."""

    name: str
    os: str = "linux"
    arch: str = "amd64"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()

    def document(self) -> dict[str, Any]:
        """Return the Node object."""
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": self.os,
            "kubernetes.io/arch": self.arch,
            "beta.kubernetes.io/os": self.os,
            "beta.kubernetes.io/arch": self.arch,
            **self.labels,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels},
            "spec": {"taints": [dict(taint) for taint in self.taints]},
        }


def is_usable(node: Mapping[str, Any]) -> bool:
    """Say whether a Node object is Ready and free of the node controller's taints."""
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
    taints = node["spec"].get("taints", [])
    return ready and not any(taint["key"].startswith("node.kubernetes.io/") for taint in taints)


def _home() -> dict[str, str]:
    return {"topology.kubernetes.io/zone": "home-a"}


def _cloud() -> dict[str, str]:
    return {CLOUD_LABEL: "true", "topology.kubernetes.io/zone": "cn-hangzhou-h"}


ON_PREM = (
    Node(
        name="onprem-control-plane",
        labels={CONTROL_PLANE: "", **_home()},
        taints=({"key": CONTROL_PLANE, "effect": "NoSchedule"},),
    ),
    Node(name="onprem-linux", labels=_home()),
    Node(name="onprem-arm", arch="arm64", labels=_home()),
    Node(name="onprem-windows", os="windows", labels=_home()),
)
CLOUD = (
    Node(name="cloud-linux", labels=_cloud()),
    Node(name="cloud-arm", arch="arm64", labels=_cloud()),
    Node(name="cloud-windows", os="windows", labels=_cloud()),
)
HYBRID = ON_PREM + CLOUD
