"""`detect --cluster` against a real API server: pools decide, and what is refused is a note."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from tests.detect.objects import (
    Object,
    config_map,
    container,
    daemonset,
    key_of,
    node,
    pod,
    pool,
)

POD_SPEC = {"tolerations": [{"operator": "Exists"}]}
LABELS = {"app": "cni"}
READERS = "readers"


def whole(obj: Object) -> Object:
    """Return a DaemonSet as the API server takes it."""
    template = {**obj["spec"]["template"], "metadata": {"labels": LABELS}}
    template["spec"].pop("volumes")
    return {**obj, "spec": {"selector": {"matchLabels": LABELS}, "template": template}}


def detect(plane: ControlPlane, user: str | None = None) -> tuple[int, Any, str]:
    kubeconfig = plane.client(user, [READERS] if user else []).kubeconfig
    done = subprocess.run(
        [sys.executable, "-m", "webhook", "detect", "--cluster", "-o", "json", "--kubeconfig", str(kubeconfig)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """An API server of its own: other tests' DaemonSets would be CNIs here."""
    require_programs()
    with ControlPlane(controllers=False, scheduler=False, kwok=False) as started:
        yield started


def may(plane: ControlPlane, user: str, rules: list[Object]) -> None:
    """Grant a user exactly these rules."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": user},
        "rules": rules,
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
    }
    plane.apply([role, binding])


def test_from_no_cni_to_pools(cluster: ControlPlane) -> None:
    cluster.apply([node("home"), node("cloud", {"alibabacloud.com/external": "true"})])
    nothing = detect(cluster)[1]
    assert nothing["network"] == "host"

    running = pod("a", "home", host=False)
    running["spec"]["containers"] = [{"name": "x", "image": "x"}]
    running["spec"]["automountServiceAccountToken"] = False
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "default"},
    }
    cluster.apply([account])
    cluster.apply([running])
    cluster.raw(
        "PATCH", "/api/v1/namespaces/default/pods/a/status", {"status": {"phase": "Running"}},
        "application/merge-patch+json",
    )  # fmt: skip
    carried = detect(cluster)[1]
    assert carried["network"] is None
    assert "run on on-prem node home" in "; ".join(carried["evidence"])

    backend = key_of("calico-config", "calico_backend")
    agent = container(
        "calico-node", CALICO_NETWORKING_BACKEND=backend, CALICO_IPV4POOL_IPIP="Never"
    )
    cluster.apply(
        [whole(daemonset("calico-node", agent)), config_map("calico-config", calico_backend="bird")]
    )
    hint = detect(cluster)[1]
    assert (hint["network"], hint["daemonsets"][0]["mode"]) == ("bgp", "bgp")
    assert "ippools: not installed" in hint["evidence"]

    text = subprocess.run(
        [sys.executable, "-m", "webhook", "crds", "print"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    cluster.kubectl("apply", "-f", "-", stdin=text)
    path = "/apis/crd.projectcalico.org/v1/ippools"
    cluster.until(lambda: cluster.raw("GET", path).status == 200, "IPPool to be served")
    assert cluster.raw("POST", path, pool(ipipMode="Always")).status == 201
    decided = detect(cluster)[1]
    assert decided["network"] == "overlay"
    assert decided["daemonsets"][0]["evidence"] == ["IPPool default-ipv4-ippool: ipipMode Always"]

    # An audit compares the policy with it.
    audited = subprocess.run(
        [sys.executable, "-m", "webhook", "audit", "--cluster", "--network", "bgp", "--format", "json", "--kubeconfig", str(cluster.kubeconfig)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    differs = [f for f in json.loads(audited.stdout)["findings"] if f["rule"] == "HG201"]
    assert audited.stderr == ""
    assert [(f["level"], f["object"]["name"]) for f in differs] == [("error", "calico-node")]
    assert "IPPool default-ipv4-ippool: ipipMode Always" in differs[0]["message"]

    # The same cluster for users who may not read all of it.
    may(
        cluster,
        "daemonsets-only",
        [{"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["list"]}],
    )
    status, partial, _ = detect(cluster, "daemonsets-only")
    assert status == 0
    assert partial["network"] is None
    assert any(
        text.startswith("ippools: not read, the API server refuses: 403")
        for text in partial["evidence"]
    )
    status, document, told = detect(cluster, "nobody")
    assert (status, document) == (3, None)
    assert "cannot look at the cluster: the API server refuses: 403" in told


def test_without_daemonsets_nothing_is_concluded_from_their_absence(cluster: ControlPlane) -> None:
    rules = [{"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["list"]}]
    may(cluster, "nodes-only", rules)
    status, document, _ = detect(cluster, "nodes-only")

    assert (status, document["network"]) == (0, None)
    assert any(text.startswith("daemonsets: not read") for text in document["evidence"])
