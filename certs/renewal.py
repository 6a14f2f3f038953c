"""What to do next about the certificates: pure, from what is observed and a moment in time.

A CA is published to every hook before anything is signed with it, the leaf follows, and the CA it
replaces stays trusted for a day. So at every moment the API servers trust what the server shows
(kubevirt 5289; cert-controller 50 and cluster-api 10522 tell what happens otherwise). Each step is
one write, and the next is found by looking again: a process that dies between two loses nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.x509 import verification

from certs import issue, pem
from certs.issue import Authority
from certs.pem import Bundle

AUTHORITY_MARGIN = dt.timedelta(days=180)
LEAF_MARGIN = dt.timedelta(days=30)
SETTLE = dt.timedelta(seconds=60)  # until every API server has seen a new caBundle
OVERLAP = dt.timedelta(hours=24)


class Step(enum.StrEnum):
    """What is to be done next."""

    NEW_AUTHORITY = "make a CA"
    NEXT_AUTHORITY = "make the next CA"
    PUBLISH = "publish the CAs"
    MARK = "note when the CA was published"
    WAIT = "wait until every API server knows the CA"
    ISSUE = "issue the leaf"
    DROP = "drop the old CA"
    CLEAR = "remove what cannot be used"
    NOTHING = "nothing to do"


@dataclass(frozen=True, slots=True)
class Plan:
    """The next step, why, and when to look again."""

    step: Step
    reason: str
    again: dt.datetime


@dataclass(frozen=True, slots=True)
class Leaf:
    """The server's certificate, whose key is known to match."""

    certificate: x509.Certificate

    def settles(self) -> dt.datetime:
        """When it is a day old; it is dated back. For one that is valid now."""
        return self.certificate.not_valid_before_utc + issue.BACKDATE + OVERLAP

    def is_a_day_old(self, now: dt.datetime) -> bool:
        """Tell whether the day has passed, whatever its dates are."""
        return now - self.certificate.not_valid_before_utc >= issue.BACKDATE + OVERLAP


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a store and the hooks hold.

    `broken` says of each file of the store that cannot be used why not. `hooks`: what each hook
    trusts. `settled`: whether every server that answers shows the leaf.
    """

    current: Authority | None
    following: Authority | None
    old: x509.Certificate | None
    leaf: Leaf | None
    published: Mapping[str, dt.datetime]
    broken: Mapping[str, str]
    hooks: tuple[Bundle, ...]
    settled: bool = True


def plan(seen: Observed, hosts: tuple[str, ...], now: dt.datetime) -> Plan:
    """Return the next step."""
    current, following = seen.current, seen.following
    if current is None or not _valid(current.certificate, now):
        return Plan(Step.NEW_AUTHORITY, _told(seen, "ca.") or "there is no valid CA", now)
    if not _can_sign(current, seen.leaf, hosts, now):
        return Plan(Step.NEW_AUTHORITY, "what the CA signs is not accepted", now)
    unusable = spoilt(seen, hosts, now)
    if unusable:
        return Plan(Step.CLEAR, told(unusable), now)
    if following is None and _left(current.certificate, now) < AUTHORITY_MARGIN:
        return Plan(Step.NEXT_AUTHORITY, f"the CA ends on {_day(current.certificate)}", now)
    if any(not held.whole or set(held.certificates) != set(wanted(seen, held, now))
           for held in seen.hooks):  # fmt: skip
        return Plan(Step.PUBLISH, "a hook does not hold the CAs it should", now)
    chosen = signer(seen)
    why = leaf_problem(seen, chosen, hosts, now)
    return _issue(seen, chosen, why, now) if why else _rest(seen, now)


def _rest(seen: Observed, now: dt.datetime) -> Plan:
    """Drop the old CA when its day is over; else rest."""
    if seen.leaf is None or seen.old is None:
        return Plan(Step.NOTHING, "all is fresh", now + dt.timedelta(hours=12))
    if seen.leaf.is_a_day_old(now) and seen.settled:
        return Plan(Step.DROP, "the leaf of the new CA is a day old", now)
    return Plan(Step.NOTHING, "two CAs are trusted", max(seen.leaf.settles(), now + SETTLE))


def _issue(seen: Observed, chosen: Authority, why: str, now: dt.datetime) -> Plan:
    """Issue at once where nobody trusts anything yet; else when the CA has been published."""
    strangers = any(_strangers(seen, held, now) for held in seen.hooks)
    if seen.leaf is None and not strangers and seen.old is None:
        return Plan(Step.ISSUE, why, now)
    since = seen.published.get(pem.fingerprint(chosen.certificate))
    if since is None or since > now:  # a clock went back, or a hand wrote it
        return Plan(Step.MARK, why, now)
    if now < since + SETTLE:
        return Plan(Step.WAIT, why, since + SETTLE)
    return Plan(Step.ISSUE, why, now)


def signer(seen: Observed) -> Authority:
    """Return the CA of the next leaf: the next one, or the one all know where no leaf is left."""
    assert seen.current is not None
    if seen.following is None or seen.leaf is None:
        return seen.current
    return seen.following


def leaf_problem(
    seen: Observed, chosen: Authority, hosts: tuple[str, ...], now: dt.datetime
) -> str | None:
    """Say why a leaf is due; None where it is fresh."""
    if seen.leaf is None:
        return _told(seen, "tls.") or "there is no leaf with its key"
    certificate = seen.leaf.certificate
    if certificate.issuer != chosen.certificate.subject or not _verified(
        certificate, chosen.certificate, hosts, now
    ):
        return "the leaf is not the CA's, not for these names, or not valid"
    if _left(certificate, now) < LEAF_MARGIN:
        return f"the leaf ends on {_day(certificate)}"
    return None


def spoilt(seen: Observed, hosts: tuple[str, ...], now: dt.datetime) -> dict[str, str]:
    """Return the files beside the CA and the leaf that cannot be used, and why not."""
    found = {name: why for name, why in seen.broken.items() if name.startswith(("next-", "old-"))}
    if seen.following is not None and not _can_sign(seen.following, seen.leaf, hosts, now):
        found["next-ca.crt"] = "signs nothing that is accepted"
    return found


def told(broken: Mapping[str, str]) -> str:
    """Return a line about files: each name, and what is wrong with it."""
    return "; ".join(f"{name} {why}" for name, why in broken.items())


def _told(seen: Observed, prefix: str) -> str:
    return told({name: why for name, why in seen.broken.items() if name.startswith(prefix)})


def trusted(seen: Observed, now: dt.datetime) -> tuple[x509.Certificate, ...]:
    """Return our CAs, which every hook should hold, oldest first."""
    own = {a.certificate for a in (seen.current, seen.following) if a is not None}
    if seen.old is not None and _valid(seen.old, now):
        own.add(seen.old)
    return _oldest_first(own)


def wanted(seen: Observed, held: Bundle, now: dt.datetime) -> tuple[x509.Certificate, ...]:
    """Return what a hook should hold that now holds this: our CAs, and for a day its strangers."""
    return _oldest_first({*trusted(seen, now), *_strangers(seen, held, now)})


def _strangers(seen: Observed, held: Bundle, now: dt.datetime) -> set[x509.Certificate]:
    """Return CAs that a hook trusts and the store does not know: what a lost Secret leaves.

    They stay, there alone, until a leaf of our own CA has been shown for a day.
    """
    leaf, current = seen.leaf, seen.current
    if leaf is not None and current is not None and leaf.is_a_day_old(now):
        with contextlib.suppress(pem.BrokenError), pem.boundary("it is another CA's"):
            leaf.certificate.verify_directly_issued_by(current.certificate)
            return set()
    own = {a.certificate for a in (seen.current, seen.following) if a is not None} | {seen.old}
    return {ca for ca in held.certificates if ca not in own and _valid(ca, now)}


def _oldest_first(authorities: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple(sorted(authorities, key=lambda ca: (ca.not_valid_before_utc, ca.serial_number)))


def _can_sign(
    authority: Authority, leaf: Leaf | None, hosts: tuple[str, ...], now: dt.datetime
) -> bool:
    """Tell whether its leaf is accepted: a curve, an extension or a constraint may be in the way.

    Where there is none yet, one is signed to see, and thrown away.
    """
    if leaf is not None and _verified(leaf.certificate, authority.certificate, hosts, now):
        return True
    try:
        with pem.boundary("it cannot sign"):
            signed = pem.certificate(issue.leaf(authority, hosts, now).certificate)
    except pem.BrokenError:
        return False
    return _verified(signed, authority.certificate, hosts, now)


@lru_cache(maxsize=4)
def _verified(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    hosts: tuple[str, ...],
    now: dt.datetime,
) -> bool:
    """Verify the chain for every name, as strictly as Python 3.13 clients do."""
    try:
        with pem.boundary("the chain does not hold"):
            builder = verification.PolicyBuilder().store(verification.Store([authority])).time(now)
            for host in hosts:
                builder.build_server_verifier(issue.subject(host)).verify(certificate, [])
    except pem.BrokenError:
        return False
    return True


def _valid(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _left(certificate: x509.Certificate, now: dt.datetime) -> dt.timedelta:
    return certificate.not_valid_after_utc - now


def _day(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.date().isoformat()
