"""JUnit XML: suites, cases and failures as pipelines count them, read by another's parser."""

from __future__ import annotations

from junitparser import JUnitXml, TestSuite

from tests.audit.rendering import audited, rendered
from webhook.audit.report import Report, Row
from webhook.findings import Finding, Level, Location, ObjectRef

DAEMON_SETS = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec: {template: {spec: {containers: []}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: other, namespace: kube-system}
spec: {template: {spec: {containers: []}}}
"""


def suites(rows: list[Row], report: Report) -> list[TestSuite]:
    return list(JUnitXml.fromstring(rendered("junit", rows, report).encode()))


def test_a_workload_passes_or_fails() -> None:
    [suite] = suites(*audited(text=DAEMON_SETS))

    assert (suite.name, suite.tests, suite.failures, suite.errors) == ("f.yaml", 2, 1, 0)
    assert suite.timestamp == "2026-03-01T12:30:00"
    wrong, right = suite
    assert (wrong.classname, wrong.name) == (
        "kube-system.DaemonSet",
        "DaemonSet/kube-system/calico-node",
    )
    [failure] = wrong.result
    assert failure.type == "error"
    assert failure.message.startswith("HG101 can land on cloud nodes: ")
    assert failure.text.splitlines()[0] == "f.yaml:4:25"
    assert failure.text.splitlines()[1].startswith("fix: add to each term: ")
    assert right.is_passed


def test_objects_of_a_cluster_are_grouped_by_namespace() -> None:
    named = [
        ("apps/v1", "DaemonSet", "a", "x"),
        ("apps/v1", "DaemonSet", "b", "x"),
        ("v1", "Node", None, "n"),
    ]
    refs = [ObjectRef(api_version=v, kind=k, namespace=ns, name=n) for v, k, ns, n in named]
    found = [
        Finding(rule="HG104", level=level, message="m", object=ref, location=Location(pointer=""))
        for ref, level in zip(refs, Level, strict=True)
    ]

    shown = suites([], Report(findings=found))

    assert [(suite.name, case.name) for suite in shown for case in suite] == [
        ("a", "DaemonSet/a/x"), ("b", "DaemonSet/b/x"), ("(cluster)", "Node/n"),
    ]  # fmt: skip
    assert [f.type for suite in shown for case in suite for f in case.result] == [
        "error",
        "warning",
        "note",
    ]


def test_nothing_to_look_at_is_a_valid_document() -> None:
    assert suites([], Report()) == []
