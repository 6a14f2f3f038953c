"""JUnit XML, for pipelines: a suite for each file, a case for each object, a failure a finding.

The type of a failure is its level. A cluster's objects have no file: their suite is the namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET  # written here, never parsed

from webhook.audit.formats.output import Output, visible
from webhook.audit.report import Report, Row
from webhook.findings import Finding, Location, ObjectRef

_ILLEGAL = re.compile("[\ufffe\uffff]")  # what XML 1.0 forbids beside the characters that act
_Suites = dict[str, dict[ObjectRef | None, list[Finding]]]


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write all suites."""
    suites: _Suites = {}
    for row in rows:
        _case(suites, row.location, row.ref)
    for finding in report.findings:
        _case(suites, finding.location, finding.object).append(finding)
    cases = sum(len(suite) for suite in suites.values())
    root = ET.Element("testsuites", _counts("hybrid-guard audit", cases, len(report.findings)))
    for name, suite in suites.items():
        _add_suite(root, name, suite, output)
    ET.indent(root)
    output.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n')


def _case(suites: _Suites, place: Location, ref: ObjectRef | None) -> list[Finding]:
    """Return the findings of an object's case, made when it is new."""
    namespace = (ref.namespace if ref else None) or "(cluster)"
    return suites.setdefault(place.file or namespace, {}).setdefault(ref, [])


def _counts(name: str, tests: int, failures: int) -> dict[str, str]:
    return {"name": _text(name), "tests": str(tests), "failures": str(failures), "errors": "0"}


def _add_suite(
    root: ET.Element, name: str, cases: dict[ObjectRef | None, list[Finding]], output: Output
) -> None:
    counts = _counts(name, len(cases), sum(map(len, cases.values())))
    suite = ET.SubElement(root, "testsuite", counts, timestamp=f"{output.now:%Y-%m-%dT%H:%M:%S}")
    for ref, findings in cases.items():
        group = ".".join(part for part in (ref.namespace, ref.kind) if part) if ref else name
        case = ET.SubElement(
            suite, "testcase", classname=_text(group), name=_text(str(ref or "all objects"))
        )
        for finding in findings:
            _add_failure(case, finding)


def _add_failure(case: ET.Element, finding: Finding) -> None:
    failure = ET.SubElement(case, "failure", type=finding.level, message=_text(str(finding)))
    lines = [str(finding.location)]
    if finding.fix:
        lines.append(f"fix: {finding.fix}")
    failure.text = "\n".join(map(_text, lines))


def _text(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", visible(text))
