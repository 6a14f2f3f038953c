"""HG207: an object names an owner that did not make it, and hides behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from webhook import owners
from webhook.audit.origin import Origin, start_of
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.owners import Forgery, Owner
from webhook.patch import pointer
from webhook.policy.model import Policy
from webhook.workloads import find_kind, mapping_of, ref_of

_WHERE = pointer(("metadata", "ownerReferences"))
_Place = tuple[str, str, str, str]


def findings(forgeries: Iterable[Forgery]) -> Iterator[Finding]:
    """Yield HG207 for each object of a cluster."""
    for forgery in forgeries:
        yield _finding(forgery.ref, forgery.owner, forgery.why, Location(pointer=_WHERE))


@dataclass(slots=True)
class Claims:
    """What objects in files say of their owners, until all are seen.

    Files seldom hold everything: an owner that is not among them is believed, and so is one that
    some document of that name may be.
    """

    policy: Policy
    _owners: dict[_Place, list[dict[str, Any]]] = field(default_factory=dict)
    _claims: list[tuple[ObjectRef, Location, Owner, Any]] = field(default_factory=list)

    def add(self, obj: dict[str, Any], origin: Origin) -> None:
        """Keep what may own others, and what names an owner: of each no more than is compared."""
        kind = find_kind(str(obj.get("apiVersion")), str(obj.get("kind")), self.policy.kinds)
        if kind is None:
            return
        ref, metadata = ref_of(obj), mapping_of(obj.get("metadata"))
        place = (kind.group, kind.kind, ref.namespace or "", ref.name)
        if kind.kind != "Pod":
            self._owners.setdefault(place, []).append(owners.essence(obj))
        owner = owners.controller_of(metadata)
        if owner and owners.pair(kind, owner, self.policy.kinds):
            where = replace(start_of(origin), pointer=_WHERE)
            self._claims.append((ref, where, owner, metadata.get("labels")))

    def findings(self) -> Iterator[Finding]:
        """Yield HG207 for each object whose owner stands here, with another uid or selector."""
        for ref, location, owner, labels in self._claims:
            found = self._owners.get((owner.group, owner.kind, ref.namespace or "", owner.name), [])
            whys = [owners.refuted(owner, one, labels) for one in found]
            uids = all(mapping_of(one["metadata"]).get("uid") for one in found)
            if found and uids and all(whys):
                yield _finding(ref, owner, str(whys[-1]), location)


def _finding(ref: ObjectRef, owner: Owner, why: str, location: Location) -> Finding:
    return Finding(
        rule="HG207",
        level=Level.ERROR,
        message=f"names {owner} as its controller, which {why}: "
        "no template that was judged speaks for it",
        fix="remove the owner reference, or the object",
        object=ref,
        location=location,
    )
