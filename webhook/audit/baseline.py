"""Findings that are known and accepted, so that a pipeline fails on new ones alone.

One line a finding, sorted: a diff shows what came and went. Only the fingerprint counts; rule and
object stand beside it for people. A finding that stands there twice is accepted twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

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


class BaselineError(ValueError):
    """What is no baseline: `path` leads to the fault."""

    def __init__(self, path: tuple[str | int, ...], message: str, fix: str = _FIX) -> None:
        super().__init__(message)
        self.path = path
        self.fix = fix


class Baseline:
    """The accepted findings."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read a decoded document. Raises BaselineError."""
        for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
            if document.get(key) != wanted:
                raise BaselineError((key,), f"{key} must be {wanted}")
        entries = document.get("findings")
        if not isinstance(entries, list):
            raise BaselineError(("findings",), "findings must be a list")
        self._names: dict[str, str] = {}
        self._left: Counter[str] = Counter()
        for index, entry in enumerate(entries):
            mark = _fingerprint_of(entry, index)
            self._left[mark] += 1
            self._names[mark] = f"{entry.get('rule')} {entry.get('object')}"

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


def _fingerprint_of(entry: Any, index: int) -> str:
    mark = entry.get("fingerprint") if isinstance(entry, dict) else None
    if not isinstance(mark, str) or not mark:
        raise BaselineError(("findings", index), "an accepted finding has no fingerprint")
    return mark


def render(findings: Iterable[Finding]) -> str:
    """Return the file that accepts these findings."""
    lines = sorted((str(found.object or ""), found.rule, fingerprint(found)) for found in findings)
    entries = "".join(
        f"- {{rule: {rule}, object: {json.dumps(name)}, fingerprint: {json.dumps(mark)}}}\n"
        for name, rule, mark in lines
    )
    return f"{_HEAD}findings:\n{entries}" if entries else f"{_HEAD}findings: []\n"
