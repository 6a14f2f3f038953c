"""Whether what names an owner is that owner's: what was listed first, then a second look.

Lists of a living cluster never fit together: an owner may have come, and a child may have gone,
between two of them. So what a list refutes is a suspect, and is asked for again at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from webhook import owners
from webhook.kube import named
from webhook.kube.cluster import Cluster, ClusterError
from webhook.owners import Forgery, Owner
from webhook.workloads import WorkloadKind, ref_of

Object = dict[str, Any]


@dataclass(slots=True)
class Owners:
    """What is known of owners: of each no more than its name, its uid and its selector.

    `read` holds the kinds of which all were listed.
    """

    kinds: tuple[WorkloadKind, ...]
    read: set[WorkloadKind] = field(default_factory=set)
    _by_uid: dict[str, tuple[WorkloadKind, str, str, Object]] = field(default_factory=dict)
    _suspects: list[tuple[WorkloadKind, str, str]] = field(default_factory=list)

    def add(self, kind: WorkloadKind, obj: Object) -> None:
        """Remember an object that may own others."""
        metadata = obj["metadata"]
        known = (kind, metadata["namespace"], metadata["name"], owners.essence(obj))
        self._by_uid[metadata["uid"]] = known

    def claimed(self, child: WorkloadKind, metadata: Object) -> WorkloadKind | None:
        """Return the kind of the owner that stands for an object; None where none does."""
        owner = owners.controller_of(metadata)
        if owner is None or owners.pair(child, owner, self.kinds) is None:
            return None
        known = (*self.kinds, *owners.FOREIGN.get((child.group, child.kind), ()))
        return next(kind for kind in known if (kind.group, kind.kind) == (owner.group, owner.kind))

    def check(self, child: WorkloadKind, metadata: Object) -> None:
        """Suspect an object whose owner was not listed, or would not have made it."""
        owner = owners.controller_of(metadata)
        if owner and self._listed(owner, metadata):
            return
        self._suspects.append((child, metadata["namespace"], metadata["name"]))

    def _listed(self, owner: Owner, metadata: Object) -> bool:
        """Tell whether the list had that owner, and it may have made the object."""
        if owner.uid not in self._by_uid:
            return False
        kind, namespace, name, found = self._by_uid[owner.uid]
        named_so = (kind.group, kind.kind, name) == (owner.group, owner.kind, owner.name)
        refuted = owners.refuted(owner, found, metadata.get("labels"))
        return named_so and namespace == metadata["namespace"] and refuted is None

    def forgeries(self, cluster: Cluster) -> Iterator[tuple[Object, Forgery]]:
        """Yield the suspects that are still there and whose owner still is not theirs.

        Raises ClusterError.
        """
        for child, namespace, name in self._suspects:
            obj = _found(cluster, child, namespace, name)
            forgery = obj and self.forgery(cluster, child, obj)
            if obj and forgery:
                yield obj, forgery

    def forgery(self, cluster: Cluster, child: WorkloadKind, obj: Object) -> Forgery | None:
        """Ask for an object's owner; return what refutes it. Raises ClusterError."""
        metadata = obj["metadata"]
        kind, owner = self.claimed(child, metadata), owners.controller_of(metadata)
        if not kind or not owner or metadata.get("deletionTimestamp"):
            return None
        found = _found(cluster, kind, metadata["namespace"], owner.name)
        why = owners.refuted(owner, found, metadata.get("labels"))
        return Forgery(ref=ref_of(obj), owner=owner, why=why) if why else None


def _found(cluster: Cluster, kind: WorkloadKind, namespace: str, name: str) -> Object | None:
    try:
        return named.get(cluster, kind, namespace, name)
    except ClusterError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
