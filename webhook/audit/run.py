"""Judge objects one by one, then what several of them tell together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webhook.audit import eni, forged
from webhook.audit.crosscheck import Seen
from webhook.audit.forged import Claims
from webhook.audit.inspect import inspect, is_passed_over
from webhook.audit.origin import Live, Origin
from webhook.audit.report import Report, Row
from webhook.audit.volumes import Volumes
from webhook.owners import Forgery
from webhook.policy.model import Policy
from webhook.policy.words import Placement


class Audit:
    """One run; its report fills while objects are judged, and few of them are kept.

    `placements` takes what namespaces say, before the first object. `merged`: eni-config and its
    overrides are judged together, at the end.
    """

    def __init__(self, policy: Policy, *, merged: bool = False) -> None:
        self.report = Report()
        self.placements: dict[str, Placement] = {}
        self._policy = policy
        self._merged = merged
        self._seen = Seen(policy)
        self._eni = eni.Together()
        self._volumes = Volumes(policy)
        self._claims = Claims(policy)

    def judge(self, obj: dict[str, Any], origin: Origin) -> Row | None:
        """Judge an object; return the row of one that has a pod template and stands for itself."""
        self._seen.add(obj, origin)
        if not isinstance(origin, Live):  # a cluster was asked for each owner
            self._claims.add(obj, origin)
        if self._keep(obj, origin) or is_passed_over(obj, self._policy):
            self.report.other += 1
            return None
        row = inspect(
            obj, self._policy, self.report, source=origin, namespace_placements=self.placements
        )
        if row:
            self._volumes.use(obj, row, origin)
        return row

    def _keep(self, obj: dict[str, Any], origin: Origin) -> bool:
        """Keep what is judged together with others, later."""
        self._volumes.add(obj)
        if obj.get("kind") == "Node":
            self._eni.add_node(obj)
        read = eni.read(obj, self._policy) if self._merged else None
        if read is None:
            return False
        self._eni.kept.append((read, origin))
        return True

    def conclude(
        self,
        *,
        complete: bool,
        blind: frozenset[str] = frozenset(),
        live: bool = False,
        forgeries: Iterable[Forgery] = (),
    ) -> None:
        """Say what all objects tell together; nothing is told of what nobody got to see.

        `blind`: the resources that are there and could not be read. `live`: what was not seen is
        not there. `forgeries`: the owners that are none.
        """
        report, seen = self.report, self._seen
        report.complete = complete
        report.findings += forged.findings(forgeries)
        if not complete:
            for read, origin in self._eni.kept:
                report.findings += eni.findings(read, origin, report)
            return
        crds = seen.calico_crds(blind, live=live)
        report.findings += self._eni.findings(report, crds=crds, blind=blind, live=live)
        report.findings += self._volumes.findings()
        report.findings += self._claims.findings()
        report.findings += seen.findings(None if self._merged else crds)
