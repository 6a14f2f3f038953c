"""The chart as tests render it: real Helm, the sets of values that every part stands in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml

from tests.cluster.controlplane import programs
from tests.conftest import ROOT

PEM = "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n"
CHART = ROOT / "charts" / "hybrid-guard"
SETS: dict[str, dict[str, Any]] = {
    "bgp": {"network": "bgp"},
    "overlay": {"network": "overlay"},
    "host": {"network": "host"},
    "everything": {
        "network": "bgp",
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": [{"name": "pull"}]},
        "server": {
            "autoscaling": {"enabled": True}, "podLabels": {"team": "net"}, "podAnnotations": {"a": "b"},
            "clientCA": {"configMap": "callers", "mode": "required"},
            "hostNetwork": True,
        },
        "webhooks": {"pods": True},
        "monitoring": {"serviceMonitor": {"enabled": True, "labels": {"x": "y"}}, "prometheusRule": {"enabled": True}},
        "policy": {
            "rules": [{"name": "home", "match": {"kinds": ["Deployment"], "namespaces": ["batch-a", "batch-b"]}, "placement": "on-prem"}],
            "templates": [{"apiGroup": "apps.kruise.io", "apiVersions": ["v1alpha1"], "resource": "clonesets", "kind": "CloneSet", "path": "/spec/template"}],
            "eniConfig": {"credentials": "secret-or-inline", "installers": ["system:serviceaccount:kube-system:console"]},
        },
    },
    "cert-manager": {"network": "bgp", "certificates": {"mode": "cert-manager"}},
    "provided": {"network": "bgp", "certificates": {"mode": "provided", "secretName": "mine", "caBundle": PEM}},
    "globs": {"network": "overlay", "policy": {"rules": [{"name": "g", "match": {"namespaces": ["batch-*"]}, "placement": "on-prem"}]}},
    "overrides": {"network": "bgp", "policy": {"overrides": {"namespaces": ["team-a"]}}, "webhooks": {"pods": True}},
    "no catalogue": {"network": "bgp", "policy": {"catalogue": False}},
}  # fmt: skip


def helm(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    program = programs.require("helm")["helm"]
    return subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def rendered(
    values: dict[str, Any], *more: str, namespace: str = "kube-system", release: str = "guard"
) -> str:
    """Return what `helm template` prints; ValueError with what it says where it refuses."""
    told = ["template", release, str(CHART), "--namespace", namespace, "-f", "-", *more]
    done = helm(*told, stdin=json.dumps(values))
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


@cache
def _text(name: str) -> str:
    return rendered(SETS[name], "--kube-version", programs.served_version())


def objects(name: str) -> list[dict[str, Any]]:
    """Return what an installation with a set creates, anew: a test may change it."""
    return [obj for obj in _documents(name) if not _is_hook(obj)]


def hook_objects(name: str) -> list[dict[str, Any]]:
    """Return what `helm test` creates."""
    return [obj for obj in _documents(name) if _is_hook(obj)]


def _documents(name: str) -> list[dict[str, Any]]:
    return [obj for obj in yaml.load_all(_text(name), yaml.CSafeLoader) if obj]


def _is_hook(obj: dict[str, Any]) -> bool:
    return "helm.sh/hook" in obj["metadata"].get("annotations", {})


def one(name: str, kind: str, called: str = "hybrid-guard") -> dict[str, Any]:
    return next(o for o in objects(name) if o["kind"] == kind and o["metadata"]["name"] == called)


def pod(name: str, called: str = "hybrid-guard") -> dict[str, Any]:
    """Return the pod spec of one of the two Deployments."""
    spec: dict[str, Any] = one(name, "Deployment", called)["spec"]["template"]["spec"]
    return spec


def hooks(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return the hooks of a configuration, `Mutating` or `Validating`, by the name's first part."""
    return hooks_of(objects(name), kind)


def hooks_of(found: Iterable[dict[str, Any] | None], kind: str) -> dict[str, dict[str, Any]]:
    """Return the hooks among rendered objects."""
    configuration = next(o for o in found if o and o["kind"] == f"{kind}WebhookConfiguration")
    return {
        hook["name"].removesuffix(".hybrid-guard.io"): hook for hook in configuration["webhooks"]
    }
