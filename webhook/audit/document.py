"""A report as the JSON document other programs rely on: version 1, null for what has no value."""

from __future__ import annotations

from typing import Any

import orjson

from webhook.audit.report import Report, Row
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.placement.model import Witness

VERSION = 1


def render(report: Report) -> str:
    """Return the document, indented, with a line end."""
    body = {
        "version": VERSION,
        "findings": [_finding(finding) for finding in report.findings],
        "workloads": [_workload(row) for row in report.rows],
        "summary": {
            "workloads": len(report.rows),
            "otherObjects": report.other,
            **{f"{level}s": report.count(level) for level in Level},
        },
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


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
