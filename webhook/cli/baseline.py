"""The file of accepted findings: read before an audit, or written after one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from webhook.audit.baseline import Baseline, BaselineError, render
from webhook.cli import options
from webhook.files import manifests, writing
from webhook.files.errors import FileError
from webhook.findings import Finding


def load(path: Path) -> Baseline:
    """Read the file. Raises Failure, with the line of what is wrong."""
    try:
        return _read(str(path))
    except FileError as error:
        raise options.failure(error) from None


def _read(file: str) -> Baseline:
    found = list(manifests.parse(manifests.read_text(file), file))
    if len(found) != 1:
        fix = "give the file that --write-baseline wrote"
        raise FileError(file, f"a baseline is one document, found {len(found)}", fix=fix)
    try:
        return Baseline(found[0].object)
    except BaselineError as error:
        line, column = found[0].locate(error.path)
        raise FileError(file, str(error), line=line, column=column, fix=error.fix) from None


def save(path: Path, findings: Iterable[Finding]) -> None:
    """Write the file. Raises Failure."""
    try:
        writing.replace(path, render(findings))
    except FileError as error:
        raise options.failure(error) from None
