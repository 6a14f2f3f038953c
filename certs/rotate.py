"""Look, decide, do one step; again until nothing is left but to wait.

Every step is one guarded write. Who loses a race looks again, so two rotators end at one CA and
one leaf, and one that is killed between two steps is carried on by the next.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs import issue, renewal
from certs.inject import Hooks
from certs.issue import Authority
from certs.renewal import Leaf, Observed, Plan, Step
from certs.store import ConflictError, Snapshot, Store

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
        if seen.old is None or seen.leaf is None or now < seen.leaf.issued + renewal.OVERLAP:
            return snapshot, seen
        settled = self.settled(seen.leaf.certificate)
        return snapshot, observe(snapshot.data, seen.hooks, settled=settled)

    def _do(self, step: Step, snapshot: Snapshot, seen: Observed, now: dt.datetime) -> None:
        if step is Step.PUBLISH:
            self.hooks.publish(renewal.trusted(seen, now))
            return
        data = _after(step, dict(snapshot.data), seen, self.hosts, now)
        self.store.write(data, snapshot.version)


def observe(
    data: Mapping[str, bytes],
    hooks: tuple[tuple[x509.Certificate, ...] | None, ...],
    *,
    settled: bool = True,
) -> Observed:
    """Read what a store holds; what cannot be read counts as missing, and is told."""
    broken: list[str] = []
    current = _authority(data, "ca", broken)
    return Observed(
        current=current,
        following=_authority(data, "next-ca", broken),
        old=_one(data.get("old-ca.crt", b"")),
        leaf=_leaf(data, broken),
        published=_published(data.get("published", b"")),
        broken=tuple(broken),
        hooks=hooks,
        settled=settled,
    )


def _after(
    step: Step, data: dict[str, bytes], seen: Observed, hosts: tuple[str, ...], now: dt.datetime
) -> dict[str, bytes]:
    """Return what the store holds after a step."""
    if step is Step.NEW_AUTHORITY:
        return _fresh(data, now)
    if step is Step.NEXT_AUTHORITY:
        return data | _authority_data("next-ca", issue.authority(now))
    if step is Step.DROP:
        return {key: value for key, value in data.items() if key != "old-ca.crt"}
    signer = seen.following or seen.current
    assert signer is not None
    if step is Step.MARK:
        marks = {renewal.fingerprint(signer.certificate): now.isoformat()}
        return data | {"published": json.dumps(marks).encode()}
    pair = issue.leaf(signer, hosts, now)
    data |= {"tls.crt": pair.certificate, "tls.key": pair.key}
    if seen.following is not None and seen.current is not None:
        data |= {"old-ca.crt": data["ca.crt"], **_authority_data("ca", seen.following)}
        data = {key: value for key, value in data.items() if not key.startswith("next-ca.")}
    return data


def _fresh(data: dict[str, bytes], now: dt.datetime) -> dict[str, bytes]:
    """Start over with a new CA; what the old one signed stays trusted while it is valid."""
    was = _one(data.get("ca.crt", b""))
    kept = {key: value for key, value in data.items() if key in ("tls.crt", "tls.key")}
    if was is not None:
        kept["old-ca.crt"] = data["ca.crt"]
    return kept | _authority_data("ca", issue.authority(now))


def _authority_data(name: str, authority: Authority) -> dict[str, bytes]:
    key = authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {f"{name}.crt": authority.pem, f"{name}.key": key}


def _authority(data: Mapping[str, bytes], name: str, broken: list[str]) -> Authority | None:
    pem = data.get(f"{name}.crt", b"")
    certificate = _one(pem)
    key = None
    if certificate is not None:
        key = renewal.private_key(data.get(f"{name}.key", b""), certificate)
    if certificate is not None and key is not None:
        return Authority(certificate, key)
    if pem:
        broken.append(f"{name}.crt and {name}.key are no pair")
    return None


def _leaf(data: Mapping[str, bytes], broken: list[str]) -> Leaf | None:
    certificate = _one(data.get("tls.crt", b""))
    if certificate is not None and renewal.private_key(data.get("tls.key", b""), certificate):
        return Leaf(certificate)
    if data.get("tls.crt"):
        broken.append("tls.crt and tls.key are no pair")
    return None


def _one(pem: bytes) -> x509.Certificate | None:
    found = renewal.certificates(pem)
    return found[0] if found and len(found) == 1 else None


def _published(text: bytes) -> dict[str, dt.datetime]:
    try:
        marks = json.loads(text)
        found = {str(name): dt.datetime.fromisoformat(when) for name, when in marks.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
    return {name: when for name, when in found.items() if when.tzinfo is not None}
