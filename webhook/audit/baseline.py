"""Findings that are known and accepted, so that a pipeline fails on new ones alone.

One line a finding, sorted: a diff shows what came and went. Only the fingerprint counts; rule and
object stand beside it for people. A finding that stands there twice is accepted twice. The JSON
report of an earlier run is a baseline, too: of its findings.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhook.audit.formats.document import VERSION, finding_of
from webhook.audit.report import Report
from webhook.findings import Finding, fingerprint
from webhook.policy.document import API_VERSION

KIND = "Baseline"
_HEAD = f"""\
# Findings that `hybrid-guard audit --baseline` accepts. Delete a line to hear of its finding again.
apiVersion: {API_VERSION}
kind: {KIND}
"""
_FIX = "write the file anew with --write-baseline"
_FIX_REPORT = "give what `audit --format json` wrote, or write a baseline with --write-baseline"


class BaselineError(ValueError):
    """What is no baseline: `path` leads to the fault."""

    def __init__(self, path: tuple[str | int, ...], message: str, fix: str = _FIX) -> None:
        super().__init__(message)
        self.path = path
        self.fix = fix


class Baseline:
    """The accepted findings, each as its fingerprint and what people call it."""

    def __init__(self, accepted: Iterable[tuple[str, str]]) -> None:
        marks = list(accepted)
        self._names = dict(marks)
        self._left = Counter(mark for mark, _ in marks)

    def apply(self, report: Report, *, whole: bool) -> None:
        """Take the accepted findings out of a report; if it is whole, note which are gone."""
        new = []
        for finding in report.findings:
            mark = fingerprint(finding)
            if self._left[mark] > 0:
                self._left[mark] -= 1
                report.accepted += 1
            else:
                new.append(finding)
        report.findings = new
        if whole:
            report.resolved = sorted(self._names[mark] for mark in self._left.elements())


def read(document: Mapping[str, Any]) -> Baseline:
    """Read what `render` wrote, decoded. Raises BaselineError."""
    for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if document.get(key) != wanted:
            raise BaselineError((key,), f"{key} must be {wanted}")
    return Baseline(_entry(index, entry) for index, entry in _findings(document))


def of_report(document: Mapping[str, Any]) -> Baseline:
    """Accept the findings of a JSON report, decoded. Raises BaselineError."""
    if document.get("version") != VERSION:
        raise BaselineError(("version",), f"version must be {VERSION}")
    return Baseline(_reported(index, entry) for index, entry in _findings(document))


def _findings(document: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    entries = document.get("findings")
    if not isinstance(entries, list):
        raise BaselineError(("findings",), "findings must be a list")
    return enumerate(entries)


def _entry(index: int, entry: Any) -> tuple[str, str]:
    mark = entry.get("fingerprint") if isinstance(entry, dict) else None
    if not isinstance(mark, str) or not mark:
        raise BaselineError(("findings", index), "an accepted finding has no fingerprint")
    return mark, f"{entry.get('rule')} {entry.get('object')}"


def _reported(index: int, entry: Any) -> tuple[str, str]:
    try:
        finding = finding_of(entry)
    except (KeyError, TypeError, ValueError):
        message = "this is no finding of a report"
        raise BaselineError(("findings", index), message, _FIX_REPORT) from None
    return fingerprint(finding), f"{finding.rule} {finding.object}"


def render(findings: Iterable[Finding]) -> str:
    """Return the file that accepts these findings."""
    lines = sorted((str(found.object or ""), found.rule, fingerprint(found)) for found in findings)
    entries = "".join(
        f"- {{rule: {rule}, object: {json.dumps(name)}, fingerprint: {json.dumps(mark)}}}\n"
        for name, rule, mark in lines
    )
    return f"{_HEAD}findings:\n{entries}" if entries else f"{_HEAD}findings: []\n"
