"""The file of accepted findings: read before an audit, or written after one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from webhook.audit.baseline import Baseline, BaselineError, of_report, read, render
from webhook.cli import options
from webhook.files import manifests, writing
from webhook.files.errors import FileError
from webhook.findings import Finding
from webhook.workloads import dotted


def load(path: Path) -> Baseline:
    """Read the file. Raises Failure, with the line of what is wrong."""
    try:
        return _read(str(path))
    except FileError as error:
        raise options.failure(error) from None


def _read(file: str) -> Baseline:
    text = manifests.read_text(file)
    report = _report(text)
    if report is not None:
        try:
            return of_report(report)
        except BaselineError as error:
            raise FileError(file, f"{dotted(error.path)}: {error}", fix=error.fix) from None
    found = list(manifests.parse(text, file))
    if len(found) != 1:
        fix = "give the file that --write-baseline wrote"
        raise FileError(file, f"a baseline is one document, found {len(found)}", fix=fix)
    try:
        return read(found[0].object)
    except BaselineError as error:
        line, column = found[0].locate(error.path)
        raise FileError(file, str(error), line=line, column=column, fix=error.fix) from None


def _report(text: str) -> dict[str, Any] | None:
    """Return a JSON report, which unlike all other files here names no apiVersion."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) and "apiVersion" not in document else None


def save(path: Path, findings: Iterable[Finding]) -> None:
    """Write the file. Raises Failure."""
    try:
        writing.replace(path, render(findings))
    except FileError as error:
        raise options.failure(error) from None
