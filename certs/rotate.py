"""Look, decide, do one step; again until nothing is left but to wait.

Every step is one guarded write. Who loses a race looks again, so two rotators end at one CA and
one leaf, and one that is killed between two steps is carried on by the next.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs import issue, pem, renewal
from certs.inject import Hooks
from certs.issue import Authority
from certs.pem import Bundle
from certs.renewal import Leaf, Observed, Plan, Step
from certs.store import ConflictError, Snapshot, Store

T = TypeVar("T")
_MOST_STEPS = 40  # a whole rotation takes seven; more means that two rotators fight
_RESTS = frozenset({Step.NOTHING, Step.WAIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotator:
    """What is rotated, for which names. `settled` tells whether all servers show a leaf."""

    store: Store
    hooks: Hooks
    hosts: tuple[str, ...]
    settled: Callable[[x509.Certificate], bool] = lambda _: True

    def steps(self, clock: Callable[[], dt.datetime]) -> Iterator[Plan]:
        """Yield each plan and carry it out; the last is the one to rest on."""
        for _ in range(_MOST_STEPS):
            now = clock()
            snapshot, seen = self.look(now)
            plan = renewal.plan(seen, self.hosts, now)
            yield plan
            if plan.step in _RESTS:
                return
            try:
                self._do(plan.step, snapshot, seen, now)
            except ConflictError:
                continue

    def look(self, now: dt.datetime) -> tuple[Snapshot, Observed]:
        """Observe the store, the hooks, and once two CAs are trusted, the servers."""
        snapshot = self.store.read()
        seen = observe(snapshot.data, self.hooks.bundles())
        if seen.old is None or seen.leaf is None or not seen.leaf.is_a_day_old(now):
            return snapshot, seen
        return snapshot, replace(seen, settled=self.settled(seen.leaf.certificate))

    def _do(self, step: Step, snapshot: Snapshot, seen: Observed, now: dt.datetime) -> None:
        if step is Step.PUBLISH:
            self.hooks.publish(lambda held: renewal.wanted(seen, held, now))
            return
        data = _after(step, dict(snapshot.data), seen, self.hosts, now)
        self.store.write(data, snapshot.version)


def observe(data: Mapping[str, bytes], hooks: tuple[Bundle, ...]) -> Observed:
    """Read what a store holds; what is broken counts as missing, and is told."""
    broken: dict[str, str] = {}
    return Observed(
        current=_authority(data, "ca", broken),
        following=_authority(data, "next-ca", broken),
        old=_read(data, "old-ca.crt", pem.certificate, broken),
        leaf=_leaf(data, broken),
        published=_published(data.get("published", b"")),
        broken=broken,
        hooks=hooks,
    )


def _after(
    step: Step, data: dict[str, bytes], seen: Observed, hosts: tuple[str, ...], now: dt.datetime
) -> dict[str, bytes]:
    """Return what the store holds after a step."""
    if step is Step.NEW_AUTHORITY:
        return _fresh(data, seen, now)
    if step is Step.NEXT_AUTHORITY:
        return data | _authority_data("next-ca", issue.authority(now))
    if step is Step.DROP:
        return _without(data, "old-ca")
    if step is Step.CLEAR:
        return _without(data, *{file[:-4] for file in renewal.spoilt(seen, hosts, now)})
    signer = renewal.signer(seen)
    if step is Step.MARK:
        marks = {pem.fingerprint(signer.certificate): now.isoformat()}
        return data | {"published": json.dumps(marks).encode()}
    pair = issue.leaf(signer, hosts, now)
    data |= {"tls.crt": pair.certificate, "tls.key": pair.key}
    if signer is seen.following:
        moved = {"old-ca.crt": data["ca.crt"], **_authority_data("ca", signer)}
        data = _without(data, "next-ca") | moved
    return data


def _without(data: dict[str, bytes], *names: str) -> dict[str, bytes]:
    """Leave out certificates with their keys."""
    return {file: value for file, value in data.items() if file.rpartition(".")[0] not in names}


def _fresh(data: dict[str, bytes], seen: Observed, now: dt.datetime) -> dict[str, bytes]:
    """Start over with a new CA; what the old one signed stays trusted while it is valid."""
    kept = {file: value for file, value in data.items() if file in ("tls.crt", "tls.key")}
    was = _read(data, "ca.crt", pem.root, {}) or seen.old
    if was is not None:
        kept["old-ca.crt"] = was.public_bytes(serialization.Encoding.PEM)
    return kept | _authority_data("ca", issue.authority(now))


def _authority_data(name: str, authority: Authority) -> dict[str, bytes]:
    return {f"{name}.crt": authority.pem, f"{name}.key": issue.key_pem(authority.key)}


def _authority(data: Mapping[str, bytes], name: str, broken: dict[str, str]) -> Authority | None:
    certificate = _read(data, f"{name}.crt", pem.root, broken)
    if certificate is None:
        return None
    key = _read(data, f"{name}.key", partial(pem.private_key, certificate=certificate), broken)
    return Authority(certificate, key) if key else None


def _leaf(data: Mapping[str, bytes], broken: dict[str, str]) -> Leaf | None:
    certificate = _read(data, "tls.crt", pem.certificate, broken)
    if certificate is None:
        return None
    key = _read(data, "tls.key", partial(pem.private_key, certificate=certificate), broken)
    return Leaf(certificate) if key else None


def _read(
    data: Mapping[str, bytes], file: str, read: Callable[[bytes], T], broken: dict[str, str]
) -> T | None:
    """Return what a file holds, or tell why it is broken; a certificate may also be missing."""
    text = data.get(file, b"")
    if not text and file.endswith(".crt"):
        return None
    try:
        return read(text)
    except pem.BrokenError as error:
        broken[file] = str(error)
        return None


def _published(text: bytes) -> dict[str, dt.datetime]:
    """Return since when each CA is published; a mark that cannot be read is no mark."""
    if len(text) > pem.MAX_CERTIFICATES:
        return {}
    try:
        marks = json.loads(text)
        found = {str(name): dt.datetime.fromisoformat(when) for name, when in marks.items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}
    return {name: when for name, when in found.items() if when.utcoffset() is not None}
