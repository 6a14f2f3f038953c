"""What hybrid-guard has to say about an object, as values: no rendering, no policy.

A finding is made once and shown by many: warnings and denials, the log, `explain`, audits.
"""

from __future__ import annotations

import enum
import hashlib
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

    def __str__(self) -> str:
        """`file:line:column`, as editors take it; in an object of a cluster, the pointer and both.

        Empty where neither a file nor a line is known.
        """
        start = self.file or (self.pointer if self.line else None)
        return ":".join(str(part) for part in (start, self.line, self.column) if part)


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


def fingerprint(finding: Finding) -> str:
    """Return what makes a finding the same one tomorrow: 32 hex digits.

    Of the rule, the object (its API version and its file left out), the pointer, and what the
    message speaks of, up to its first colon. So neither a line that moves, nor a value that is
    quoted, nor a manifest that is renamed makes it new. Equal findings share it: who compares two
    reports counts how often each stands in them. Baselines and SARIF hold it.
    """
    ref, place = finding.object, finding.location
    group = ref.api_version.rpartition("/")[0] if ref else ""
    named = (group, ref.kind, ref.namespace or "", ref.name) if ref else (place.file or "",)
    subject = finding.message.partition(":")[0]
    parts = (finding.rule, *named, place.pointer or "", subject)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
