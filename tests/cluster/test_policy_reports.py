"""Policy reports against the real API server: both APIs take them, strictly, and keep them whole."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.audit.rendering import SECONDS, rendered
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT, shared_path
from webhook.audit.report import Report
from webhook.findings import Finding, Level, Location, ObjectRef

CRDS = {
    "wgpolicyk8s": ("wgpolicyk8s.io_policyreports.v1alpha2.yaml", "wgpolicyk8s.io_clusterpolicyreports.v1alpha2.yaml"),
    "openreports": ("openreports.io_reports.v1alpha1.yaml", "openreports.io_clusterreports.v1alpha1.yaml"),
}  # fmt: skip
KINDS = {
    "wgpolicyk8s": ("policyreports.wgpolicyk8s.io", "clusterpolicyreports.wgpolicyk8s.io"),
    "openreports": ("reports.openreports.io", "clusterreports.openreports.io"),
}
NAMESPACES = ("calico-system", "kube-flannel", "tigera-operator", "kube-system")


@pytest.fixture(scope="module", params=["wgpolicyk8s", "openreports"])
def served(request: pytest.FixtureRequest, api_server: ControlPlane) -> Iterator[str]:
    """An API whose CRDs the server serves."""
    files = [str(shared_path("schemas", name)) for name in CRDS[request.param]]
    for file in files:
        api_server.kubectl("apply", "--server-side", "-f", file)
    for kind in KINDS[request.param]:
        api_server.kubectl("wait", "--for=condition=Established", f"crd/{kind}", "--timeout=30s")
        api_server.until(
            lambda kind=kind: api_server.kubectl("get", kind, "-A", check=False).returncode == 0,  # type: ignore[misc]
            f"{kind} to be served",
        )
    yield request.param
    for file in files:
        api_server.kubectl("delete", "-f", file)


def apply(plane: ControlPlane, text: str) -> str:
    """Apply reports as their users do; a field that the schema does not know is refused."""
    for namespace in NAMESPACES:
        plane.kubectl("create", "namespace", namespace, check=False)
    done = plane.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", stdin=text)
    return done.stdout


def audit(api: str, form: str, *paths: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "webhook", "audit", "--network", "bgp", "--format", form,
         "--report-api", api, *paths],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip


def test_an_audit_of_real_manifests_is_stored_whole(api_server: ControlPlane, served: str) -> None:
    paths = (shared_path("corpus", "cni", "calico"), shared_path("corpus", "cni", "flannel"))
    findings = yaml.safe_load(audit(served, "json", *paths))["findings"]
    text = audit(served, "policyreport", *paths)
    namespaced, of_cluster = KINDS[served]

    first = apply(api_server, text).splitlines()
    apply(api_server, text)  # names are the same in the next run

    stored = (
        api_server.get_json(namespaced, "-A")["items"] + api_server.get_json(of_cluster)["items"]
    )
    assert len(stored) == len(first) == len({str(finding["object"]) for finding in findings})
    told = Counter(r["rule"] for report in stored for r in report["results"])
    assert told == Counter(finding["rule"] for finding in findings)
    counts = Counter[str]()
    for report in stored:
        counts.update(report["summary"])
    levels = Counter(finding["level"] for finding in findings)
    assert (counts["fail"], counts["warn"]) == (levels["error"], levels["warning"])
    assert {"kube-system", "kube-flannel"} <= {
        report["metadata"].get("namespace") for report in stored
    }


def test_a_cluster_is_told_in_the_api_that_it_serves(api_server: ControlPlane, served: str) -> None:
    labels = {"app": "calico-node"}
    pod = {"containers": [{"name": "calico-node", "image": "docker.io/calico/node:v3.28.5"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    calico = {"apiVersion": "apps/v1", "kind": "DaemonSet",
              "metadata": {"name": "calico-node", "namespace": "kube-system"},
              "spec": {"selector": {"matchLabels": labels}, "template": template}}  # fmt: skip
    api_server.apply([calico])

    text = subprocess.run(
        [sys.executable, "-m", "webhook", "audit", "--network", "bgp", "--format", "policyreport",
         "--cluster", "--kubeconfig", api_server.kubeconfig],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip

    groups = {report["apiVersion"].partition(".")[0] for report in yaml.safe_load_all(text)}
    assert groups == {served}
    apply(api_server, text)
    api_server.kubectl("delete", "daemonset", "calico-node", "-n", "kube-system")


def report_of(*findings: Finding, api: str) -> str:
    return rendered("policyreport", (), Report(findings=list(findings)), report_api=api)


def test_names_of_all_kinds_of_objects_are_valid(api_server: ControlPlane, served: str) -> None:
    named = [
        ("DaemonSet", "kube-system", "n" * 253), ("ConfigMap", "kube-system", "a.b-c"), ("ConfigMap", "kube-system", "a-b.c"),
        ("CustomResourceDefinition", None, "ippools.crd.projectcalico.org"), ("Node", None, "10.0.0.1"),
        ("Deployment", None, "in-the-current-namespace"), ("RoleBinding", "kube-system", "system:odd"), ("Köln", "kube-system", "網"),
    ]  # fmt: skip
    refs = [ObjectRef(api_version="v1", kind=k, namespace=ns, name=n) for k, ns, n in named]
    findings = [Finding(rule="HG104", level=Level.NOTE, message="m", object=ref) for ref in refs]

    stored = apply(
        api_server,
        report_of(*findings, Finding(rule="HG201", level=Level.WARNING, message="m"), api=served),
    )

    namespaced, of_cluster = KINDS[served]
    lines = [line.split("/")[0] for line in stored.splitlines()]
    assert Counter(lines) == {
        namespaced.replace("s.", ".", 1): 6,
        of_cluster.replace("s.", ".", 1): 3,
    }


def test_a_report_too_large_for_etcd_says_what_it_leaves_out(
    api_server: ControlPlane, served: str
) -> None:
    ref = ObjectRef(api_version="v1", kind="ConfigMap", namespace="kube-system", name="large")
    place = Location(file="eni-config.yaml", line=1, column=1, pointer="/data/eni_conf")
    found = [
        Finding(
            rule="ENI008",
            level=level,
            message=f"{number} " + "m" * 300,
            fix="f",
            object=ref,
            location=place,
        )
        for level in (Level.WARNING, Level.ERROR)
        for number in range(3000)
    ]
    text = report_of(*found, api=served)

    apply(api_server, text)

    stored = api_server.get_json(
        KINDS[served][0], "-n", "kube-system", yaml.safe_load(text)["metadata"]["name"]
    )
    left_out = int(stored["metadata"]["annotations"]["hybrid-guard.io/results-left-out"])
    assert stored["summary"] == {"pass": 0, "fail": 3000, "warn": 3000, "error": 0, "skip": 0}
    assert left_out == 6000 - len(stored["results"])
    assert 0 < left_out < 6000
    assert {result["result"] for result in stored["results"]} == {"fail"}, "the worst stay"
    assert stored["results"][0]["timestamp"] == {"seconds": SECONDS, "nanos": 0}
