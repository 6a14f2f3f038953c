"""Where an object comes from, and so what a finding about it can point at."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from webhook.findings import Finding, Location
from webhook.patch import steps

Path = tuple[str | int, ...]
Place = tuple[int, int] | tuple[None, None]


class Origin(Protocol):
    """A place in a file, or a cluster."""

    @property
    def file(self) -> str | None:
        """The name of the file."""

    def locate(self, path: Path, embedded: tuple[int, int] | None = None) -> Place:
        """Return line and column of what stands at a path, or inside the text there."""

    def line(self, number: int) -> tuple[str, int]:
        """Return what is at hand of a line of it, and how many characters come before."""


class Live:
    """An object of a cluster: it stands in no file."""

    file = None

    def locate(self, path: Path, embedded: tuple[int, int] | None = None) -> Place:
        """Return that there is no line."""
        del path, embedded
        return None, None

    def line(self, number: int) -> tuple[str, int]:
        """Return nothing."""
        del number
        return "", 0


def start_of(origin: Origin) -> Location:
    """Return where an object begins."""
    line, column = origin.locate(())
    return Location(file=origin.file, line=line, column=column, pointer="")


def placed(finding: Finding, origin: Origin) -> Finding:
    """Give a finding its file, line and column; one inside embedded JSON keeps those, too."""
    was = finding.location
    embedded = None if was.line is None or was.column is None else (was.line, was.column)
    line, column = origin.locate(steps(was.pointer or ""), embedded)
    where = replace(was, file=origin.file, line=line, column=column, embedded=embedded)
    return replace(finding, location=where)
