"""Reviews as the API server writes them: compact JSON, defaulted fields, a line end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.eni.samples import ID, SECRET
from tests.reviews import review

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_PROBE = {"successThreshold": 1, "timeoutSeconds": 1, "failureThreshold": 3, "periodSeconds": 10}


def daemonset() -> bytes:
    """Return the CREATE of a calico-node DaemonSet."""
    documents = yaml.safe_load_all((EXAMPLES / "calico-bgp.yaml").read_text())
    obj = next(document for document in documents if document["kind"] == "DaemonSet")
    applied = json.dumps(obj, separators=(",", ":"))
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    return _written(defaulted({**obj, "metadata": {**obj["metadata"], "annotations": annotations}}))


def deployment() -> bytes:
    """Return the CREATE of a small Deployment."""
    documents = yaml.safe_load_all((EXAMPLES / "workloads.yaml").read_text())
    return _written(defaulted(next(documents)))


def eni_config() -> bytes:
    """Return the CREATE of the example eni-config with a pair filled in."""
    obj = yaml.safe_load((EXAMPLES / "eni-config.yaml").read_text())
    text = obj["data"]["eni_conf"]
    for name, value in (("access_key", ID), ("access_secret", SECRET)):
        text = text.replace(f'"{name}": ""', f'"{name}": "{value}"')
    return _written({**obj, "data": {**obj["data"], "eni_conf": text}})


def defaulted(obj: dict[str, Any]) -> dict[str, Any]:
    """Return a workload with what the API server fills in."""
    pod = obj["spec"]["template"]["spec"]
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("resources", {})
        for probe in ("livenessProbe", "readinessProbe"):
            if probe in container:
                container[probe] = {**_PROBE, **container[probe]}
    pod.setdefault("restartPolicy", "Always")
    pod.setdefault("dnsPolicy", "ClusterFirst")
    pod.setdefault("schedulerName", "default-scheduler")
    obj["spec"].setdefault("revisionHistoryLimit", 10)
    return {**obj, "status": {"currentNumberScheduled": 0, "numberReady": 0}}


def _written(obj: dict[str, Any]) -> bytes:
    sent = review(obj)
    sent["request"]["namespace"] = obj["metadata"]["namespace"]
    text = json.dumps(sent, separators=(",", ":"))
    for plain, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(plain, escaped)
    return text.encode() + b"\n"
