"""SARIF is what its schema and GitHub's code scanning ask for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.audit.rendering import audited, rendered
from tests.conftest import shared_path
from webhook.audit.report import Report
from webhook.eni.rules import RULES
from webhook.findings import Finding, Level, Location, ObjectRef, fingerprint

NODE = ObjectRef(api_version="apps/v1", kind="DaemonSet", namespace="kube-system", name="cni")
HERE = Location(file="a/b c#1.yaml", line=7, column=3, pointer="/spec")
FOUND = Finding(
    rule="HG101", level=Level.ERROR, message="can land on cloud nodes: term 2", fix="add it",
    object=NODE, location=HERE,
)  # fmt: skip
HOME = PurePosixPath("/home/user/repo")


def sarif(*findings: Finding, **given: Any) -> dict[str, Any]:
    """The SARIF document of findings, checked by the schema."""
    document: dict[str, Any] = json.loads(
        rendered("sarif", (), Report(findings=list(findings)), **given)
    )
    schema = json.loads(shared_path("schemas", "sarif-schema-2.1.0.json").read_text())
    Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER).validate(document)
    return document


def test_a_result_says_what_where_and_how_to_mend_it() -> None:
    run = sarif(FOUND)["runs"][0]

    assert run["columnKind"] == "unicodeCodePoints"
    [result] = run["results"]
    assert result["ruleId"] == "HG101"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "HG101"
    assert result["level"] == "error"
    assert result["message"]["text"] == "can land on cloud nodes: term 2\nFix: add it"
    [location] = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a/b%20c%231.yaml"},
        "region": {"startLine": 7, "startColumn": 3},
    }
    assert location["logicalLocations"] == [
        {"name": "cni", "fullyQualifiedName": "DaemonSet/kube-system/cni", "kind": "resource"}
    ]


def test_every_rule_is_listed_with_help_as_github_wants_it() -> None:
    rules = {rule["id"]: rule for rule in sarif()["runs"][0]["tool"]["driver"]["rules"]}

    assert set(RULES) <= set(rules)
    assert {"HG100", "HG101", "HG102", "HG103", "HG104", "HG105"} <= set(rules)
    for rule in rules.values():
        assert 0 < len(rule["name"]) <= 255
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert "# wrong" in rule["help"]["text"]
        assert "# right" in rule["help"]["markdown"]
        assert 0 < len(rule["properties"]["tags"]) <= 20
    assert rules["HG101"]["defaultConfiguration"]["level"] == "error"
    assert rules["HG105"]["defaultConfiguration"]["level"] == "note"
    assert rules["ENI024"]["defaultConfiguration"]["level"] == "warning"


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./x/../cni.yaml", "cni.yaml"),
        ("/home/user/repo/k8s/网络.yaml", "k8s/%E7%BD%91%E7%BB%9C.yaml"),
        ("/etc/cni.yaml", "file:///etc/cni.yaml"),
        ("../up.yaml", "../up.yaml"),
        ("a:b?.yaml", "a%3Ab%3F.yaml"),
        ("\udcff.yaml", "%FF.yaml"),  # a file name that is no UTF-8, as os.fsdecode gives it
        ("-", "stdin"),
    ],
)
def test_a_file_is_a_uri_relative_to_where_the_run_started(file: str, uri: str) -> None:
    finding = replace(FOUND, location=replace(HERE, file=file))

    [result] = sarif(finding, folder=HOME)["runs"][0]["results"]

    found = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert found == uri


def test_an_object_of_a_cluster_has_a_name_and_no_file() -> None:
    [result] = sarif(replace(FOUND, location=Location(pointer="/spec")))["runs"][0]["results"]

    assert list(result["locations"][0]) == ["logicalLocations"]


def test_a_fingerprint_outlives_moved_lines_and_tells_equal_findings_apart() -> None:
    moved = replace(FOUND, location=replace(HERE, line=99, column=1))
    other = replace(FOUND, object=replace(NODE, name="other"))

    prints = [
        result["partialFingerprints"] for result in sarif(FOUND, moved, other)["runs"][0]["results"]
    ]

    assert prints[0]["finding/v1"] == prints[1]["finding/v1"] != prints[2]["finding/v1"]
    lines = [each["primaryLocationLineHash"] for each in prints]
    assert lines[0].endswith(":1")
    assert lines[1].endswith(":2")
    assert len(set(lines)) == 3


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"location": replace(HERE, line=70, file="moved.yaml")}, True),
        ({"object": replace(NODE, api_version="apps/v1beta1")}, True),
        ({"message": "can land on cloud nodes: term 3"}, True),
        ({"fix": "add that", "level": Level.WARNING}, True),
        ({"rule": "HG102"}, False),
        ({"object": replace(NODE, api_version="other/v1")}, False),
        ({"object": replace(NODE, namespace=None)}, False),
        ({"location": replace(HERE, pointer="/spec/other")}, False),
        ({"message": "eni_conf.access_key: term 2"}, False),
    ],
)
def test_a_fingerprint_is_of_what_a_finding_is_about(change: dict[str, Any], same: bool) -> None:  # noqa: FBT001  # a table
    assert (fingerprint(FOUND) == fingerprint(replace(FOUND, **change))) is same


def test_a_message_makes_no_link() -> None:
    hostile = replace(FOUND, message="[press me](https://evil.example) and [0] (bgp)", fix=None)

    [result] = sarif(hostile)["runs"][0]["results"]

    assert result["message"]["text"] == r"\[press me](https://evil.example) and [0] (bgp)"


def test_real_manifests_give_as_many_results_as_findings() -> None:
    folder = shared_path("corpus", "eni-config", "invalid")
    rows, report = audited(*map(str, sorted(folder.glob("*.yaml"))))

    results = sarif(*report.findings)["runs"][0]["results"]

    assert len(rows) == 0
    assert len(results) == len(report.findings) > 30
    assert all(result["locations"][0]["physicalLocation"] for result in results)
