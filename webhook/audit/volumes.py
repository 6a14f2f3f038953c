"""HG106: a workload's volumes bind its pods to the other side than its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from webhook.audit.origin import Origin, start_of
from webhook.audit.report import Row
from webhook.audit.storage import KINDS, Reach, Storage
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.patch import pointer
from webhook.placement import volumes
from webhook.placement.model import Side, Sides
from webhook.placement.volumes import Wanted
from webhook.policy.model import Policy
from webhook.workloads import read


@dataclass(frozen=True, slots=True)
class _User:
    """A workload that has a side, and volumes."""

    ref: ObjectRef
    location: Location
    side: Side
    why: str
    wanted: tuple[Wanted, ...]


@dataclass(slots=True)
class Volumes:
    """Workloads and storage, until all is seen."""

    policy: Policy
    storage: Storage = field(init=False)
    users: list[_User] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.storage = Storage(self.policy.cloud_nodes)

    def add(self, obj: dict[str, Any]) -> None:
        """Keep what an object says about storage."""
        if obj.get("kind") in KINDS:
            self.storage.add(obj)

    def use(self, obj: dict[str, Any], row: Row, origin: Origin) -> None:
        """Keep a workload that has a side, by policy or by its own selector, and volumes."""
        side, why = row.decision.placement.side, row.decision.why
        if side is None and row.proof and row.proof.sides in (Sides.ON_PREM, Sides.CLOUD):
            side, why = Side(row.proof.sides.value), "its own selector"
        if side is None:
            return
        workload = read(obj, self.policy.kinds)
        wanted = tuple(volumes.wanted(workload)) if workload else ()
        if wanted:
            self.users.append(_User(row.ref, start_of(origin), side, why, wanted))

    def findings(self) -> Iterator[Finding]:
        """Yield HG106 for each volume that can be attached on the other side only."""
        for user in self.users:
            for one in user.wanted:
                wrong = list(self._elsewhere(user, one))
                if wrong:
                    yield _finding(user, one, wrong)

    def _elsewhere(self, user: _User, one: Wanted) -> Iterator[tuple[str, Reach]]:
        """Yield the claims whose volumes cannot be attached on a workload's side."""
        namespace = user.ref.namespace or "default"
        missing = one.new and not one.claims
        for claim in one.claims:
            reach = self.storage.of_claim(namespace, claim)
            missing = missing or (one.new and reach is None)
            if reach and user.side not in reach.sides:
                yield f"the volume of claim {claim}", reach
        made = self.storage.of_class(one.storage_class) if missing else None
        if made and user.side not in made.sides:
            yield "a new volume", made


def _finding(user: _User, one: Wanted, wrong: list[tuple[str, Reach]]) -> Finding:
    subject, reach = wrong[0]
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    here, there = user.side, user.side.other
    return Finding(
        rule="HG106",
        level=Level.WARNING,
        message=f"{subject}{more} can be attached to {there} nodes only, says {reach.why}; "
        f"{user.why} wants {here} nodes: there its pods stay Pending",
        fix="move the data to a volume of its side, or place the workload where the volume is",
        object=user.ref,
        location=replace(user.location, pointer=pointer(one.path)),
    )
