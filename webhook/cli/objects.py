"""Manifests for the verbs: read file by file, with the placements of their namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webhook.cli import options
from webhook.cli.options import Failure
from webhook.files import folders, manifests
from webhook.files.errors import FileError
from webhook.files.manifests import Manifest
from webhook.policy.document import PLACEMENT_LABEL
from webhook.policy.words import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file: its text and the objects in it."""

    file: str
    text: str
    manifests: tuple[Manifest, ...]


def read(paths: tuple[str, ...]) -> Iterator[Source]:
    """Yield the files, standard input when none is named. Raises Failure."""
    try:
        for file in expand(paths):
            text = manifests.read_text(file)
            yield Source(file=file, text=text, manifests=tuple(manifests.parse(text, file)))
    except FileError as error:
        raise options.failure(error) from None


def expand(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield files, standard input where none is named; what folders hold besides is left out."""
    for path in paths or (manifests.STDIN,):
        for found in folders.walk(path) if Path(path).is_dir() else (path,):
            if isinstance(found, FileError):
                raise found
            if isinstance(found, str):
                yield found


def read_all(paths: tuple[str, ...]) -> tuple[list[Source], list[Failure]]:
    """Return the files that could be read, and why the others could not."""
    sources: list[Source] = []
    failures: list[Failure] = []
    for file in expand(paths):
        try:
            sources += read((file,))
        except Failure as failure:
            failures.append(failure)
    return sources, failures


def namespace_placements(
    sources: list[Source], given: dict[str, Placement]
) -> dict[str, Placement]:
    """Return what Namespace documents in the input say; the options win."""
    found: dict[str, Placement] = {}
    for source in sources:
        for manifest in source.manifests:
            if manifest.object.get("kind") == "Namespace":
                metadata = manifest.object.get("metadata") or {}
                side = (metadata.get("labels") or {}).get(PLACEMENT_LABEL)
                if side in set(Placement):
                    found[metadata.get("name", "")] = Placement(side)
    return found | given
