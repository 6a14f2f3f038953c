"""The webhook configurations that tests register, by URL, as plain documents.

They follow the design's table of hooks with `mutate-cni` and `mutate-workloads` as one, since the
tests' policies decide for all namespaces. The chart renders its own; this is for tests without it.
"""

from __future__ import annotations

import base64
import re
from typing import Any

WORKLOAD_RULES: list[dict[str, Any]] = [
    {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "resources": ["daemonsets", "deployments", "statefulsets", "replicasets"],
    },
    {"apiGroups": ["batch"], "apiVersions": ["v1"], "resources": ["cronjobs", "jobs"]},
    {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["replicationcontrollers"]},
    {"apiGroups": ["apps.kruise.io"], "apiVersions": ["v1alpha1"], "resources": ["clonesets"]},
]

ENI_CONDITION = (
    "(object != null && ((has(object.metadata.name) && object.metadata.name == 'eni-config')"
    " || (has(object.data) && 'eni_conf' in object.data)))"
    " || (oldObject != null && (oldObject.metadata.name == 'eni-config'"
    " || (has(oldObject.data) && 'eni_conf' in oldObject.data)))"
)
"""Both nulls are asked for, and request.name is not: of a collection's deletion there is none, the
expression fails, and with failurePolicy Fail every foreign ConfigMap stays."""


def hook(
    name: str, url: str, ca_pem: bytes, rules: list[dict[str, Any]], **fields: Any
) -> dict[str, Any]:
    """Return one webhook entry; `fields` set or replace what the design's hooks share."""
    return {
        "name": name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": url, "caBundle": base64.b64encode(ca_pem).decode()},
        "failurePolicy": "Ignore",
        "matchPolicy": "Equivalent",
        "rules": rules,
        "sideEffects": "None",
        "timeoutSeconds": 3,
        **fields,
    }


def workload_rules(*operations: str) -> list[dict[str, Any]]:
    """Return the rules that match the workload kinds for these operations."""
    return [
        {**rule, "operations": list(operations), "scope": "Namespaced"} for rule in WORKLOAD_RULES
    ]


def configuration(kind: str, name: str, *webhooks: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration object: `kind` is Mutating or Validating."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": list(webhooks),
    }


def mutating(
    url_base: str,
    ca_pem: bytes,
    *,
    name: str = "hybrid-guard",
    domain: str = "hybrid-guard.io",
    failure_policy: str = "Ignore",
) -> dict[str, Any]:
    """Return the MutatingWebhookConfiguration for a guard at `url_base`."""
    workloads = hook(
        f"mutate-workloads.{domain}",
        f"{url_base}/mutate",
        ca_pem,
        workload_rules("CREATE", "UPDATE"),
        failurePolicy=failure_policy,
        reinvocationPolicy="IfNeeded",
    )
    return configuration("Mutating", name, workloads)


def validating(
    url_base: str,
    ca_pem: bytes,
    *,
    name: str = "hybrid-guard",
    domain: str = "hybrid-guard.io",
    failure_policy: str = "Ignore",
) -> dict[str, Any]:
    """Return the ValidatingWebhookConfiguration; eni-config's hook is Fail whatever is asked."""
    workloads = hook(
        f"validate-workloads.{domain}",
        f"{url_base}/validate",
        ca_pem,
        workload_rules("CREATE", "UPDATE"),
        failurePolicy=failure_policy,
    )
    config_maps = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "scope": "Namespaced",
    }
    only_kube_system = {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kube-system"]}
        ]
    }
    eni_config = hook(
        f"validate-eni-config.{domain}",
        f"{url_base}/validate",
        ca_pem,
        [config_maps],
        failurePolicy="Fail",
        timeoutSeconds=5,
        namespaceSelector=only_kube_system,
        matchConditions=[{"name": "eni-config", "expression": ENI_CONDITION}],
    )
    return configuration("Validating", name, workloads, eni_config)


def calls(metrics: str) -> dict[str, int]:
    """Return from kube-apiserver's metrics how often it called each hook, answered or not."""
    counts: dict[str, int] = {}
    pattern = r'^apiserver_admission_webhook_request_total\{.*?name="([^"]+)".*\} (\d+)'
    for name, count in re.findall(pattern, metrics, re.MULTILINE):
        counts[name] = counts.get(name, 0) + int(count)
    return counts


def _probe_deployment() -> dict[str, Any]:
    labels = {"app": "probe"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generateName": "probe-"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


PROBES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/apis/apps/v1/namespaces/default/deployments", _probe_deployment()),
    (
        "/api/v1/namespaces/kube-system/configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config"}},
    ),
)
"""Creations that, sent as a dry run, call every hook above and change nothing."""
