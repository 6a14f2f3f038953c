"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0.

What GitHub asks beyond the schema is in "SARIF support for code scanning" of its documentation: a
place in each result, relative URIs, `primaryLocationLineHash`, help in Markdown.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import orjson

from webhook.audit import rulebook
from webhook.audit.formats.output import Output, visible
from webhook.audit.report import Report, Row
from webhook.eni import manual
from webhook.eni.manual import Page
from webhook.findings import Finding, Location, ObjectRef, fingerprint

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LINK = re.compile(r"\[(?=[^][]*\]\()")  # `[text](target)` is a link in a SARIF message


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write one run with a result for each finding."""
    deque(rows, maxlen=0)
    book = rulebook.pages()
    index = {rule: place for place, rule in enumerate(book)}
    times: Counter[str] = Counter()
    driver = {
        "name": "hybrid-guard",
        "semanticVersion": output.version,
        "rules": [_rule(page) for page in book.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, index[finding.rule], times, output.folder)
            for finding in report.findings
        ],
    }
    body = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    output.write(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() + "\n")


def _rule(page: Page) -> dict[str, Any]:
    text = manual.body(page)
    return {
        "id": page.rule,
        "name": page.name,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.why},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": page.level},
        "properties": {"tags": ["kubernetes", rulebook.topic(page.rule)]},
    }


def _result(finding: Finding, index: int, times: Counter[str], folder: PurePath) -> dict[str, Any]:
    same = fingerprint(finding)
    times[same] += 1
    text = visible(finding.message)
    if finding.fix:
        text += f"\nFix: {visible(finding.fix)}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _LINK.sub(r"\\[", text)},
        "locations": [_location(finding.location, finding.object, folder)],
        "partialFingerprints": {
            "finding/v1": same,
            "primaryLocationLineHash": f"{same}:{times[same]}",
        },
    }


def _location(place: Location, ref: ObjectRef | None, folder: PurePath) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if place.file is not None:
        found["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(place.file, folder)},
            "region": {"startLine": place.line or 1, "startColumn": place.column or 1},
        }
    if ref is not None:
        named = {"name": ref.name, "fullyQualifiedName": str(ref), "kind": "resource"}
        found["logicalLocations"] = [{key: visible(text) for key, text in named.items()}]
    return found


def _uri(file: str, folder: PurePath) -> str:
    """Return a file's URI: relative below the folder, where a checkout would be."""
    if file == "-":
        return "stdin"
    path = PurePath(os.path.normpath(file))
    if path.is_relative_to(folder):
        path = path.relative_to(folder)
    return ("file://" if path.is_absolute() else "") + quote(os.fsencode(path.as_posix()))
