"""A release of the chart, by real Helm against a real API server: install, upgrade, uninstall.

No pod runs: so this is also the uninstallation of a guard that is down.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.chart import CHART, objects
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane import programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.test_chart_applied import CONFIG_MAPS, DAEMONSETS, config_map, daemonset, pinned

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/{}webhookconfigurations/hybrid-guard"
CA = "Y2E="


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    require_programs()
    with ControlPlane(
        controllers=False, scheduler=False, kwok=False, audit_level="Metadata"
    ) as running:
        yield running


def started(plane: ControlPlane, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [programs.require("helm")["helm"], *arguments, "--namespace", "kube-system"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "HOME": str(plane.folder), "KUBECONFIG": str(plane.kubeconfig)},
    )  # fmt: skip


def helm(plane: ControlPlane, *arguments: str) -> str:
    with started(plane, *arguments) as child:
        told, failed = child.communicate()
    assert child.returncode == 0, failed
    return told


@pytest.fixture(scope="module")
def notes(plane: ControlPlane) -> str:
    """What Helm tells after an installation."""
    return helm(plane, "install", "hybrid-guard", str(CHART), "--set", "network=bgp")


def upgrade(plane: ControlPlane, *arguments: str) -> str:
    return helm(plane, "upgrade", "hybrid-guard", str(CHART), "--reuse-values", *arguments)


def bundles(plane: ControlPlane, kind: str) -> set[str | None]:
    found = plane.raw("GET", CONFIGURATIONS.format(kind)).json()["webhooks"]
    return {hook["clientConfig"].get("caBundle") for hook in found}


def test_the_notes_say_what_to_check_next_and_what_to_do_when_it_is_down(notes: str) -> None:
    for words in (
        "network bgp",
        "kubectl -n kube-system rollout status deployment/hybrid-guard deployment/hybrid-guard-certs",
        "helm test hybrid-guard -n kube-system",
        "hybrid-certs check",
        "apiserver_admission_webhook_fail_open_count",
        "kubectl delete validatingwebhookconfiguration hybrid-guard",
        "kubectl delete validatingadmissionpolicybinding hybrid-guard-safety-net",
        "helm uninstall hybrid-guard -n kube-system",
        "the node affinity on the workloads stays",
    ):
        assert words in notes


@pytest.mark.usefixtures("notes")
def test_the_commands_of_the_notes_are_ones_that_kubectl_knows(plane: ControlPlane) -> None:
    deployments = ("deployment/hybrid-guard", "deployment/hybrid-guard-certs")
    told = plane.kubectl("-n", "kube-system", "rollout", "status", *deployments, "--watch=false")

    assert told.stdout.count("Waiting for") == 2
    for kind, name in (
        ("validatingwebhookconfiguration", "hybrid-guard"),
        ("validatingadmissionpolicybinding", "hybrid-guard-safety-net"),
    ):
        assert plane.kubectl("delete", kind, name, "--dry-run=server").returncode == 0


@pytest.mark.usefixtures("notes")
def test_an_upgrade_keeps_the_ca_and_puts_back_hooks_that_were_taken_away(
    plane: ControlPlane,
) -> None:
    def publish(found: dict[str, Any]) -> None:
        for hook in found["webhooks"]:
            hook["clientConfig"]["caBundle"] = CA

    for kind in ("mutating", "validating"):
        path = f"{CONFIGURATIONS.format(kind)}?fieldManager=rotator"
        assert plane.update(path, publish).status == 200

    upgrade(plane, "--set", "webhooks.timeoutSeconds=2")
    assert bundles(plane, "mutating") == bundles(plane, "validating") == {CA}
    plane.kubectl("delete", "validatingwebhookconfiguration", "hybrid-guard")
    upgrade(plane)

    assert bundles(plane, "validating") == {None}, "the rotator puts it in"


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(("phase", "status"), [("Succeeded", 0), ("Failed", 1)])
def test_helm_test_takes_its_account_away_however_the_pod_ends(
    plane: ControlPlane, phase: str, status: int
) -> None:
    before = len(plane.audit_events())
    path = "/api/v1/namespaces/kube-system/pods/hybrid-guard-test/status"
    ends = {"status": {"phase": phase}}

    with started(plane, "test", "hybrid-guard") as child:

        def ended() -> bool:  # what a kubelet would write
            return plane.raw("PATCH", path, ends, "application/merge-patch+json").status == 200

        plane.until(ended, "the pod of the test")
        child.communicate(timeout=60)

    assert child.returncode == status
    created = [
        resource
        for verb, resource, name in writes(plane, before)
        if verb != "delete" and name.startswith("hybrid-guard-test")
    ]
    assert created[-1] == "pods"
    kinds = "pods,serviceaccounts,roles,rolebindings,configmaps"
    left = plane.kubectl("-n", "kube-system", "get", kinds, "-o", "name").stdout
    assert "hybrid-guard-test" not in left
    assert "hybrid-guard-probe" not in left


def writes(plane: ControlPlane, after: int) -> list[tuple[str, str, str]]:
    """Return verb, resource and name of the writes that the audit log holds behind an event."""
    return [
        (event["verb"], at["resource"], at.get("name", ""))
        for event in plane.audit_events()[after:]
        if event["verb"] in ("create", "patch", "delete")
        and event["responseStatus"]["code"] in (200, 201)
        and "subresource" not in (at := event.get("objectRef", {"subresource": ""}))
        and not at.get("name", "").startswith("sh.helm.release")
        and at["resource"] != "ipaddresses"  # the API server's own
    ]


@pytest.mark.usefixtures("notes")
def test_uninstalling_removes_the_hooks_first_and_leaves_the_pins(plane: ControlPlane) -> None:
    assert plane.raw("POST", DAEMONSETS, daemonset("calico-node", pinned())).status == 201
    before = len(plane.audit_events())

    helm(plane, "uninstall", "hybrid-guard")

    deleted = [f"{kind}/{name}" for verb, kind, name in writes(plane, before) if verb == "delete"]
    assert deleted[:2] == [
        "validatingwebhookconfigurations/hybrid-guard",
        "mutatingwebhookconfigurations/hybrid-guard",
    ]
    assert len(deleted) == len(set(deleted)) == len(objects("bgp"))
    plane.until(lambda: still_there(plane) == [], "everything to be gone")
    stored = plane.raw("GET", f"{DAEMONSETS}/calico-node").json()
    assert stored["spec"]["template"]["spec"]["affinity"] == pinned(), "it would move the pods"
    assert plane.raw("POST", CONFIG_MAPS, config_map("eni-config")).status == 201


def still_there(plane: ControlPlane) -> list[str]:
    kinds = plane.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
    label = "app.kubernetes.io/name=hybrid-guard"
    found = plane.kubectl("get", ",".join(kinds), "-A", "-l", label, "-o", "name").stdout
    return found.split()
