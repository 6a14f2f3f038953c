"""Small objects for detection: what one rule reads, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webhook.findings import Location

Object = dict[str, Any]


def daemonset(
    name: str, *containers: Object, namespace: str = "kube-system", config: str = "", **spec: Any
) -> Object:
    """Return a DaemonSet; `config` is a ConfigMap that it mounts."""
    volumes = [{"name": "config", "configMap": {"name": config}}] if config else []
    pod_spec = {"hostNetwork": True, "containers": list(containers), "volumes": volumes, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": pod_spec}},
    }


def container(name: str, *args: str, **env: Any) -> Object:
    """Return a container; a mapping as an environment value is a valueFrom."""
    variables = [
        {"name": k, "valueFrom": v} if isinstance(v, dict) else {"name": k, "value": v}
        for k, v in env.items()
    ]
    return {"name": name, "image": "x", "args": list(args), "env": variables}


def key_of(config_map: str, key: str, **more: Any) -> Object:
    """Return the valueFrom of a ConfigMap's key."""
    return {"configMapKeyRef": {"name": config_map, "key": key, **more}}


def config_map(name: str, namespace: str = "kube-system", **data: Any) -> Object:
    """Return a ConfigMap; `__` in a key stands for `-`, `_dot_` for a dot."""
    named = {k.replace("__", "-").replace("_dot_", "."): v for k, v in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": named,
    }


def resource(kind: str, api_version: str, name: str = "default", **spec: Any) -> Object:
    """Return a cluster-scoped resource."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def pool(name: str = "default-ipv4-ippool", cidr: str = "10.0.0.0/16", **spec: Any) -> Object:
    """Return a Calico IPPool."""
    return resource("IPPool", "crd.projectcalico.org/v1", name, cidr=cidr, **spec)


def installation(name: str = "default", **spec: Any) -> Object:
    """Return Tigera's Installation."""
    return resource("Installation", "operator.tigera.io/v1", name, **spec)


def node(name: str, labels: Object | None = None, /, **annotations: str) -> Object:
    """Return a Node; `_slash_` in an annotation's key stands for a slash, `_dot_` for a dot."""
    named = {k.replace("_slash_", "/").replace("_dot_", "."): v for k, v in annotations.items()}
    metadata = {"name": name, "labels": labels or {}, "annotations": named}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def pod(name: str, on: str, *, host: bool) -> Object:
    """Return a running Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": on, "hostNetwork": host},
        "status": {"phase": "Running"},
    }


def placed(file: str) -> Callable[[], Location]:
    """Return what says that an object stands in a file."""
    return lambda: Location(file=file)
