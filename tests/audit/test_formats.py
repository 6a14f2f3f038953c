"""Every format tells the same findings, and none lets a manifest's author act through it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from tests.audit.rendering import audited, output, rendered
from tests.conftest import shared_path
from webhook.audit import text
from webhook.audit.formats import FORMATS
from webhook.audit.report import Report
from webhook.findings import Finding, Level, Location, ObjectRef

Told = tuple[str, str, str, str]  # rule, level, object, message

ACTING = {"Cc", "Cf", "Zl", "Zp"}  # categories of characters that do something

# Control characters, a terminal's colours, title and screen, a page's script, an attribute's end,
# a template, right-to-left marks, XML's forbidden characters, an entity, a very long word.
HOSTILE = (
    "\x00\x07\x1b[31mred\x1b]0;title\x07\x9b2J\r\n\x7f",
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "abc\u202egpj.exe\u2066\u200f\u2028",
    "\ufffe\uffff]]>&lt;!--",
    "&amp;<!DOCTYPE x>",
    "网络 é 🙂",
    "long-" * 5000,
)


def from_table(text: str) -> Iterator[Told]:
    head = re.compile(r"(error|warning|note) +(\w+) +(\S+)  \S+")
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if found := head.match(line):
            yield found[2], found[1], found[3], lines[at + 1].strip()


def from_json(text: str) -> Iterator[Told]:
    for each in json.loads(text)["findings"]:
        names = each["object"]
        parts = filter(None, (names["kind"], names["namespace"], names["name"]))
        yield each["rule"], each["level"], "/".join(parts), each["message"]


def from_sarif(text: str) -> Iterator[Told]:
    for each in json.loads(text)["runs"][0]["results"]:
        name = each["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        said = each["message"]["text"].split("\nFix: ")[0]
        yield each["ruleId"], each["level"], name, said


def from_junit(text: str) -> Iterator[Told]:
    for suite in JUnitXml.fromstring(text.encode()):
        for case in suite:
            for failure in case.result:
                rule, _, said = failure.message.partition(" ")
                yield rule, failure.type, case.name, said


def from_policy_report(text: str) -> Iterator[Told]:
    for report in yaml.safe_load_all(text):
        scope = report["scope"]
        name = "/".join(filter(None, (scope["kind"], scope.get("namespace"), scope["name"])))
        for each in report["results"]:
            yield each["rule"], each["properties"]["level"], name, each["message"]


class Articles(HTMLParser):
    """Collects each article's attributes, and the first text in bold and in a heading."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._into: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.found.append({key: value or "" for key, value in attrs})
        first = self.found and tag in ("b", "h3") and tag not in self.found[-1]
        self._into = tag if first else None
        if self._into:
            self.found[-1][tag] = ""

    def handle_endtag(self, _tag: str) -> None:
        self._into = None

    def handle_data(self, data: str) -> None:
        if self._into:
            self.found[-1][self._into] += data


def from_html(text: str) -> Iterator[Told]:
    articles = Articles()
    articles.feed(text)
    for each in articles.found:
        yield each["data-rule"], each["data-level"], each["b"], each["h3"]


PARSERS: dict[str, Callable[[str], Iterator[Told]]] = {
    "table": from_table,
    "json": from_json,
    "sarif": from_sarif,
    "junit": from_junit,
    "html": from_html,
    "policyreport": from_policy_report,
}


def test_every_format_is_parsed_here() -> None:
    assert set(PARSERS) == set(FORMATS)


@pytest.mark.parametrize("form", PARSERS)
def test_a_format_tells_what_the_report_holds(form: str) -> None:
    files = [
        *shared_path("corpus", "eni-config", "invalid").glob("*.yaml"),
        *shared_path("corpus", "cni", "calico").glob("*.yaml"),
        *shared_path("corpus", "cni", "terway").glob("*.yaml"),
    ]
    rows, report = audited(*map(str, sorted(files)))

    told = Counter(PARSERS[form](rendered(form, iter(rows), report)))

    assert sum(told.values()) > 60
    assert told == Counter(
        (f.rule, f.level.value, str(f.object), f.message) for f in report.findings
    )


def hostile() -> Report:
    """A report whose every text is hostile."""
    report = Report()
    for bad in HOSTILE:
        ref = ObjectRef(api_version=f"v1{bad}", kind=f"K{bad}", namespace=f"n{bad}", name=bad)
        place = Location(file=f"f{bad}", line=1, column=1, pointer=f"/{bad}")
        report.findings.append(
            Finding(
                rule="HG101", level=Level.ERROR, message=bad, fix=bad, object=ref, location=place
            )
        )
    return report


@pytest.mark.parametrize("form", PARSERS)
def test_no_character_of_a_manifest_acts(form: str) -> None:
    shown = rendered(form, (), hostile())

    assert {c for c in shown if c != "\n" and unicodedata.category(c) in ACTING} == set()


def test_explain_acts_no_more_than_an_audit() -> None:
    [row], _ = audited(
        text="apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\n"
        "spec: {template: {spec: {containers: []}}}\n"
    )
    report = hostile()
    of_first = replace(
        row, ref=report.findings[0].object or row.ref, notes=HOSTILE, quiet=HOSTILE[0]
    )
    told: list[str] = []

    text.render([of_first], report, output(told))

    shown = "".join(told)
    assert {c for c in shown if c != "\n" and unicodedata.category(c) in ACTING} == set()
    assert shown.count("HG101") == len(HOSTILE)


@pytest.mark.parametrize("form", [form for form in PARSERS if form != "table"])
def test_hostile_texts_are_told_whole(form: str) -> None:
    told = list(PARSERS[form](rendered(form, (), hostile())))

    assert len(told) == len(HOSTILE)
    assert {each[0] for each in told} == {"HG101"}
    said = {each[3] for each in told}
    assert "</script><script>alert(1)</script><img src=x onerror=alert(1)>" in said
    assert "网络 é 🙂" in said
    assert "long-" * 5000 in said


def test_a_file_name_that_is_no_unicode_is_told_in_every_format() -> None:
    place = Location(file="\udcff.yaml", line=1, column=1)
    ref = ObjectRef(api_version="v1", kind="ConfigMap", namespace="n", name="c")
    found = Finding(rule="ENI001", level=Level.ERROR, message="m", object=ref, location=place)

    for form in FORMATS:
        text = rendered(form, (), Report(findings=[found]))
        assert text.encode(), form


def test_json_has_what_has_no_value_as_null() -> None:
    document: dict[str, Any] = json.loads(
        rendered(
            "json", (), Report(findings=[Finding(rule="HG101", level=Level.NOTE, message="m")])
        )
    )

    nowhere = dict.fromkeys(("file", "line", "column", "pointer", "embedded"))
    assert document == {
        "version": 1,
        "workloads": [],
        "findings": [
            {"rule": "HG101", "level": "note", "message": "m", "fix": None, "object": None, "location": nowhere}
        ],
        "summary": {"complete": True, "workloads": 0, "otherObjects": 0, "errors": 0, "warnings": 0, "notes": 1, "accepted": 0, "resolved": []},
    }  # fmt: skip
