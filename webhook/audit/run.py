"""Judge objects one by one, then what several of them tell together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhook.audit.crosscheck import Seen
from webhook.audit.inspect import inspect, is_passed_over
from webhook.audit.origin import Origin
from webhook.audit.report import Report, Row
from webhook.policy.model import Policy
from webhook.policy.words import Placement


class Audit:
    """One run; its report fills while objects are judged, and none of them is kept."""

    def __init__(self, policy: Policy, placements: Mapping[str, Placement]) -> None:
        self.report = Report()
        self._policy = policy
        self._placements = placements
        self._seen = Seen(policy)

    def judge(self, obj: dict[str, Any], origin: Origin) -> Row | None:
        """Judge an object; return the row of one that has a pod template and stands for itself."""
        self._seen.add(obj, origin)
        if is_passed_over(obj, self._policy):
            self.report.other += 1
            return None
        return inspect(
            obj, self._policy, self.report, source=origin, namespace_placements=self._placements
        )

    def conclude(self, *, complete: bool, blind: frozenset[str] = frozenset()) -> None:
        """Say what all objects tell together; nothing is told of what nobody got to see.

        `blind`: the resources that are there and could not be read.
        """
        self.report.complete = complete
        if complete:
            self.report.findings += self._seen.findings(blind)
