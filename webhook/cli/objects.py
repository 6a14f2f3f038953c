"""Manifests for the verbs: read file by file, with the placements of their namespaces."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from webhook.cli import options
from webhook.files import folders, manifests
from webhook.files.errors import FileError
from webhook.files.inputs import Inputs
from webhook.files.manifests import Manifest
from webhook.policy.document import PLACEMENT_LABEL
from webhook.policy.words import Placement
from webhook.workloads import mapping_of

_say = functools.partial(click.echo, err=True)


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


class Reading:
    """Input of any length: what cannot be read is told, and the rest is read all the same.

    `status` is the exit status that this asks for.
    """

    def __init__(self, paths: tuple[str, ...], say: Callable[[str], None] = _say) -> None:
        if not paths and sys.stdin.isatty():
            raise click.UsageError("name files or folders, or - for standard input")
        self.inputs = Inputs(paths or (manifests.STDIN,))
        self.status = 0
        self._say = say

    def manifests(self) -> Iterator[Manifest]:
        """Yield the objects in the order of the input."""
        for found in self.inputs.manifests():
            if isinstance(found, FileError):
                failure = options.failure(found)
                self._say(failure.message)
                self.status = max(self.status, failure.exit_code)
            else:
                yield found

    def placements(self, given: Mapping[str, Placement]) -> dict[str, Placement]:
        """Return what Namespaces anywhere in the input say; the options win."""
        named = self.inputs.mentioning(PLACEMENT_LABEL.encode())
        return placements((manifest.object for manifest in named), given)

    def tell_skipped(self, *, each: bool) -> None:
        """Say what was not read: how much, or every file with the reason."""
        skipped = self.inputs.skipped
        if each:
            for one in skipped:
                self._say(f"skipped {one.path}: {one.reason}")
        elif skipped:
            self._say(f"note: skipped {len(skipped)} that are no manifests (-v lists them)")


def namespace_placements(
    sources: list[Source], given: Mapping[str, Placement]
) -> dict[str, Placement]:
    """Return what Namespace documents in the input say; the options win."""
    objects = (manifest.object for source in sources for manifest in source.manifests)
    return placements(objects, given)


def placements(
    objects: Iterable[Mapping[str, Any]], given: Mapping[str, Placement]
) -> dict[str, Placement]:
    """Return what the labels of Namespaces among some objects say; the options win."""
    found: dict[str, Placement] = {}
    for obj in objects:
        if obj.get("kind") == "Namespace":
            metadata = mapping_of(obj.get("metadata"))
            side = mapping_of(metadata.get("labels")).get(PLACEMENT_LABEL)
            if side in list(Placement):  # a label may be anything, in a file
                found[str(metadata.get("name"))] = Placement(side)
    return {**found, **given}
