"""Which files a folder holds for us, and what is passed over, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webhook.files.errors import FileError

_SUFFIXES = (".yaml", ".yml", ".json")
_CHART, _TEMPLATES = "Chart.yaml", "templates"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not read, and why."""

    path: str
    reason: str


def walk(folder: str) -> Iterator[str | Skipped | FileError]:
    """Yield the manifests below a folder, sorted; links to folders are not followed."""
    failures: list[FileError] = []

    def fail(error: OSError) -> None:
        reason = (error.strerror or "it cannot be read").lower()
        failures.append(FileError(str(error.filename), reason, unreadable=True))

    for parent, folders, files in os.walk(folder, onerror=fail):
        yield from _pruned(parent, folders, files)
        yield from _sorted(parent, files)
    yield from failures


def _pruned(parent: str, folders: list[str], files: list[str]) -> Iterator[Skipped]:
    """Take out of `folders` what is not walked through."""
    for name in sorted(folders):
        path = str(Path(parent, name))
        if name.startswith("."):
            reason = "hidden"
        elif Path(path).is_symlink():
            reason = "a link to a folder"
        elif name == _TEMPLATES and _CHART in files:
            reason = f"a chart's templates: audit what `helm template {parent}` prints"
        else:
            continue
        folders.remove(name)
        yield Skipped(path, reason)
    folders.sort()


def _sorted(parent: str, files: list[str]) -> Iterator[str | Skipped]:
    for name in sorted(files):
        path = str(Path(parent, name))
        if name == _CHART:
            yield Skipped(path, "a chart's own description")
        elif not name.endswith(_SUFFIXES):
            yield Skipped(path, f"not {', '.join(_SUFFIXES)}")
        elif Path(path).exists() and not Path(path).is_file():
            yield Skipped(path, "not a file")
        else:
            yield path
