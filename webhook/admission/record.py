"""What is told about a decision: the values of the log line and of the metrics. Never a body."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from webhook.admission.response import Response
from webhook.admission.review import Hook, Request


class Word(enum.StrEnum):
    """What came of a request, in one word."""

    INJECTED = "injected"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left-alone"
    WARNED = "warned"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One decision. `rule` is a policy's rule, an entry of the catalogue, or a finding's id."""

    hook: Hook
    uid: str
    operation: str
    kind: str
    namespace: str | None
    name: str
    rule: str
    verdict: Word
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer, and what is told about it."""

    response: Response
    record: Record


def outcome(
    hook: Hook, request: Request, response: Response, *, rule: str, verdict: Word
) -> Outcome:
    """Put an answer and its record together."""
    record = Record(
        hook=hook,
        uid=request.uid,
        operation=request.operation,
        kind=request.kind,
        namespace=request.namespace,
        name=request.name,
        rule=rule,
        verdict=verdict,
        dry_run=request.dry_run,
    )
    return Outcome(response=response, record=record)
