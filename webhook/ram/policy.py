"""RAM policies: write the one Terway needs, and judge a given one.

Actions are compared as RAM does: `*` and `?` stand for characters, case does not count, a Deny
wins over every Allow, and NotAction means all others (RAM, policy elements).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from webhook.ram import actions

Word = Literal["granted", "missing", "denied", "limited"]


class PolicyShapeError(ValueError):
    """The document is JSON, but no RAM policy: where and why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: what it allows or denies, and whether only under conditions."""

    allow: bool
    patterns: tuple[str, ...]
    inverted: bool
    limited: bool

    def covers(self, action: str) -> bool:
        """Tell whether the statement speaks of an action."""
        return self.inverted != any(_matches(pattern, action) for pattern in self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a policy makes of Terway's needs.

    `needed`: each action with a word: `limited` is granted for some resources or conditions only.
    `excess`: each pattern that grants more than is needed, and why it does.
    """

    needed: dict[str, Word]
    excess: dict[str, str] = field(default_factory=dict)

    @property
    def sufficient(self) -> bool:
        """Whether every action is granted, be it under conditions."""
        return not {"missing", "denied"} & set(self.needed.values())


def document(*, dual: bool) -> str:
    """Return the policy as JSON, as the RAM console takes it."""
    statement = {
        "Effect": "Allow",
        "Action": sorted(actions.needed(dual=dual)),
        "Resource": "*",
    }
    return json.dumps({"Version": "1", "Statement": [statement]}, indent=2) + "\n"


def check(policy: Any, *, dual: bool) -> Verdict:
    """Judge a policy document. Raises PolicyShapeError."""
    statements = list(_statements(policy))
    words = {action: _word(action, statements) for action in actions.needed(dual=dual)}
    allowed = [statement for statement in statements if statement.allow]
    excess = {
        pattern: why
        for statement in allowed
        for pattern in statement.patterns
        if (why := _excess(pattern, inverted=statement.inverted, dual=dual))
    }
    return Verdict(needed=words, excess=excess)


def _word(action: str, statements: list[Statement]) -> Word:
    """A Deny without conditions forbids; one with conditions, or for some resources, may."""
    speaking = [statement for statement in statements if statement.covers(action)]
    allowing = [statement for statement in speaking if statement.allow]
    denying = [statement for statement in speaking if not statement.allow]
    if any(not statement.limited for statement in denying):
        return "denied"
    if not allowing:
        return "missing"
    if denying or all(statement.limited for statement in allowing):
        return "limited"
    return "granted"


def _excess(pattern: str, *, inverted: bool, dual: bool) -> str | None:
    """Say why a pattern of an Allow grants more than needed; None where it does not."""
    if inverted:
        return "NotAction grants every other action of every product"
    lowered = pattern.lower()
    if any(lowered == action.lower() for action in actions.needed(dual=dual)):
        return None
    if any(lowered == action.lower() for action in {**actions.DUAL_STACK, **actions.OPTIONAL}):
        return None
    for action, last in actions.OBSOLETE.items():
        if lowered == action.lower():
            return f"Terway does not call it after {last}"
    if "*" not in pattern and "?" not in pattern:
        return "Terway never calls it"
    used = [action for action in actions.needed(dual=dual) if _matches(pattern, action)]
    if not used:
        return "Terway calls nothing that it covers"
    return f"a wildcard; Terway needs {len(used)} of what it covers: {', '.join(sorted(used))}"


def _matches(pattern: str, action: str) -> bool:
    """Follow the pattern once; bit n of `reached` says that it fits the first n characters."""
    lowered, reached = action.lower(), 1
    everywhere = (1 << len(lowered) + 1) - 1
    for char in pattern.lower():
        if char == "*":
            reached = -(reached & -reached) & everywhere  # the lowest bit, and all above it
        elif char == "?":
            reached = reached << 1 & everywhere
        else:
            reached = sum(
                2 << at for at, c in enumerate(lowered) if c == char and reached >> at & 1
            )
        if not reached:
            return False
    return bool(reached >> len(lowered))


def _statements(policy: Any) -> Iterator[Statement]:
    if not isinstance(policy, dict):
        raise PolicyShapeError("a RAM policy is an object with Version and Statement")
    if policy.get("Version") != "1":
        raise PolicyShapeError('Version must be "1"')
    listed = policy.get("Statement")
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not listed:
        raise PolicyShapeError("Statement must be a list of statements")
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            raise PolicyShapeError(f"Statement[{index}] must be an object")
        yield _statement(item, f"Statement[{index}]")


def _statement(item: Mapping[str, Any], path: str) -> Statement:
    effect = item.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyShapeError(f"{path}.Effect must be Allow or Deny")
    if ("Action" in item) == ("NotAction" in item):
        raise PolicyShapeError(f"{path} must have either Action or NotAction")
    resources = _texts(item.get("Resource", "*"), f"{path}.Resource")
    inverted = "NotAction" in item
    patterns = _texts(item.get("NotAction" if inverted else "Action"), f"{path}.Action")
    limited = "*" not in resources or bool(item.get("Condition"))
    return Statement(effect == "Allow", patterns, inverted, limited)


def _texts(value: Any, path: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise PolicyShapeError(f"{path} must be a text or a list of texts")
    return tuple(listed)
