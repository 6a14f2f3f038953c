"""A report as the JSON document other programs rely on: version 1, null for what has no value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from webhook.audit.formats.output import Output
from webhook.audit.report import Report, Row
from webhook.explain.explanation import Explanation
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.placement.model import Witness

VERSION = 1


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write the document, indented; the workloads as they come, then what the report holds."""
    output.write(f'{{\n  "version": {VERSION},\n')
    _write_list("workloads", (_workload(row) for row in rows), output)
    _write_list("findings", (_finding(finding) for finding in report.findings), output)
    output.write(f'  "summary": {_indented(_summary(report), 1)}\n}}\n')


def _write_list(key: str, items: Iterator[dict[str, Any]], output: Output) -> None:
    output.write(f'  "{key}": [')
    separator = "\n"
    for item in items:
        output.write(f"{separator}    {_indented(item, 2)}")
        separator = ",\n"
    output.write("],\n" if separator == "\n" else "\n  ],\n")


def _indented(value: dict[str, Any], depth: int) -> str:
    """Return JSON in lines that start as deep as the place it is put; no string has a line end."""
    return _encoded(value).replace("\n", f"\n{'  ' * depth}")


def _encoded(value: dict[str, Any]) -> str:
    """Return JSON of visible characters alone: a terminal may be what shows it."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # a file's name that is no Unicode
        text = ""
    if text and text.isascii() and "\x7f" not in text:
        return text
    return json.dumps(value, indent=2)


def _summary(report: Report) -> dict[str, int | bool | list[str]]:
    return {
        "complete": report.complete,
        "workloads": report.workloads,
        "otherObjects": report.other,
        **{f"{level}s": report.count(level) for level in Level},
        "accepted": report.accepted,
        "resolved": report.resolved,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    location = finding.location
    return {
        "rule": finding.rule,
        "level": finding.level,
        "message": finding.message,
        "fix": finding.fix,
        "object": _object(finding.object) if finding.object else None,
        "location": {
            "file": location.file,
            "line": location.line,
            "column": location.column,
            "pointer": location.pointer,
            "embedded": _embedded(location),
        },
    }


def _embedded(location: Location) -> dict[str, int] | None:
    """Return the place inside the JSON text that the pointer names."""
    if location.embedded is None:
        return None
    line, column = location.embedded
    return {"line": line, "column": column}


def _workload(row: Row) -> dict[str, Any]:
    proof = row.proof
    return {
        "object": _object(row.ref),
        "placement": row.decision.placement,
        "rule": row.decision.rule,
        "why": row.decision.why,
        "sides": proof.sides if proof else None,
        "witness": {
            "on-prem": _witness(proof.on_prem) if proof else None,
            "cloud": _witness(proof.cloud) if proof else None,
        },
        "patch": [op.wire() for op in row.ops] or None,
        "unchangedBecause": row.quiet,
        "notes": list(row.notes),
        "location": {"file": row.location.file, "line": row.location.line},
        **(_more(row.more) if row.more else {}),
    }


def _more(more: Explanation) -> dict[str, Any]:
    return {
        "rollout": more.rollout,
        "writers": [
            {"manager": w.manager, "operation": w.operation, "fields": w.fields, "time": w.time}
            for w in more.writers
        ],
        "owners": [
            {"name": o.name, "because": o.because, "does": o.does, "knob": o.knob}
            for o in more.owners
        ],
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "possible": witness.possible,
        "reason": witness.reason,
        "term": witness.term,
        "expression": witness.expression,
        "labels": witness.labels,
        "node": witness.node,
    }


def _object(ref: ObjectRef) -> dict[str, Any]:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def finding_of(entry: Mapping[str, Any]) -> Finding:
    """Return the finding that an entry tells. Raises KeyError, TypeError or ValueError."""
    ref, place = entry["object"], entry["location"]
    return Finding(
        rule=_text(entry["rule"]),
        level=Level(entry["level"]),
        message=_text(entry["message"]),
        object=ref
        and ObjectRef(
            api_version=_text(ref["apiVersion"]),
            kind=_text(ref["kind"]),
            namespace=ref["namespace"] and _text(ref["namespace"]),
            name=_text(ref["name"]),
        ),
        location=Location(file=place["file"], pointer=place["pointer"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
