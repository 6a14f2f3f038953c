"""What hybrid-guard has to say about an object, as values: no rendering, no policy.

A finding is made once and shown by many: warnings and denials, the log, `explain`, audits.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad a finding is; the words SARIF uses."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The name of a Kubernetes object. `namespace` is None where there is none."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        """`Kind/namespace/name`, as the command line takes it."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A file's line and column (1-based), and a JSON pointer into the object.

    `embedded`: line and column inside the JSON text that the pointer names. Where there is no file,
    `line` and `column` are those.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    embedded: tuple[int, int] | None = None


NOWHERE = Location()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One observation. `message`: what and why, without the rule id; `fix`: what to write."""

    rule: str
    level: Level
    message: str
    fix: str | None = None
    object: ObjectRef | None = None
    location: Location = NOWHERE

    def __str__(self) -> str:
        """The rule id and the message: the form of every warning and denial."""
        return f"{self.rule} {self.message}"
