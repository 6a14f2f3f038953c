"""ConfigMaps for the tests: one that is right in every way, edited by keyword."""

from __future__ import annotations

import json
from typing import Any

from webhook.eni import document, lint
from webhook.eni.document import EniDocument, Mode
from webhook.findings import Finding, ObjectRef

REF = ObjectRef(api_version="v1", kind="ConfigMap", namespace="kube-system", name="eni-config")
ID, SECRET = "LTAI5tQ7WmZk3VxR9pHsN2Bd", "k9TqWz4LmXv7RbYc2PnHs8JdFg3AeU"
CNI = '{"cniVersion": "0.4.0", "name": "terway", "type": "terway"}'
SOUND: dict[str, Any] = {
    "version": "1",
    "max_pool_size": 5,
    "min_pool_size": 0,
    "vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]},
    "eni_tags": {"ack.aliyun.com": "c0a1b2c3d4e5"},
    "service_cidr": "172.21.0.0/20",
    "security_group": "sg-bp1h6t3y8c5nq2wz9dkm",
    "access_key": ID,
    "access_secret": SECRET,
    "vswitch_selection_policy": "ordered",
}


def conf(*without: str, **fields: Any) -> dict[str, Any]:
    """Data whose eni_conf is sound except for what is said."""
    kept = {name: value for name, value in SOUND.items() if name not in without}
    return raw(json.dumps({**kept, **fields}, indent=2, ensure_ascii=False))


def raw(eni_conf: Any, **data: Any) -> dict[str, Any]:
    """Data with this text for eni_conf, and all else sound."""
    return {
        "eni_conf": eni_conf,
        "10-terway.conf": CNI,
        "disable_network_policy": "true",
        **data,
    }


def cni(**fields: Any) -> dict[str, Any]:
    """Sound data whose CNI file has these keys too; None takes one away."""
    members = {**json.loads(CNI), **fields}
    text = json.dumps({name: value for name, value in members.items() if value is not None})
    return {**conf(), "10-terway.conf": text}


def listed(*plugins: Any, **fields: Any) -> dict[str, Any]:
    """Sound data with a list of plugins."""
    chain = {"cniVersion": "0.4.0", "name": "terway", "plugins": list(plugins), **fields}
    return {**conf(), "10-terway.conflist": json.dumps(chain)}


def read(data: Any, mode: Mode = "inline", **options: Any) -> EniDocument:
    """Read data as the ConfigMap eni-config."""
    more: dict[str, Any] = {
        name: options.pop(name) for name in ("binaryData", "immutable") if name in options
    }
    if "annotations" in options:
        more["metadata"] = {"annotations": options.pop("annotations")}
    return document.read({"data": data, **more}, mode, ref=REF, **options)


def judge(data: Any, mode: Mode = "inline", **options: Any) -> tuple[Finding, ...]:
    """Judge data as the ConfigMap eni-config."""
    return lint.lint(read(data, mode, **options))


def told(data: Any, mode: Mode = "inline", **options: Any) -> list[str]:
    """What is found, as `level RULE path`."""
    found = judge(data, mode, **options)
    return [f"{finding.level} {str(finding).partition(': ')[0]}" for finding in found]
