"""What to do next about the certificates: pure, from what is observed and a moment in time.

A CA is published to every hook before anything is signed with it, the leaf follows, and the CA it
replaces stays trusted for a day. So at every moment the API servers trust what the server shows
(kubevirt 5289; cert-controller 50 and cluster-api 10522 tell what happens otherwise). Each step is
one write, and the next is found by looking again: a process that dies between two loses nothing.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from certs import issue
from certs.issue import Authority

MAX_PEM = 64 * 1024  # a bundle of 856 kB costs 750 ms to parse (CVE-2024-12401)
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

    @property
    def issued(self) -> dt.datetime:
        """When it was issued: it is dated back."""
        return self.certificate.not_valid_before_utc + issue.BACKDATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a store and the hooks hold.

    `broken` says what of the store could not be read. `hooks`: the CAs of each hook, None where it
    has no readable bundle. `settled`: whether every server that answers shows the leaf.
    """

    current: Authority | None
    following: Authority | None
    old: x509.Certificate | None
    leaf: Leaf | None
    published: Mapping[str, dt.datetime]
    broken: tuple[str, ...]
    hooks: tuple[tuple[x509.Certificate, ...] | None, ...]
    settled: bool = True


def plan(seen: Observed, hosts: tuple[str, ...], now: dt.datetime) -> Plan:
    """Return the next step."""
    later = now + dt.timedelta(hours=12)
    current = seen.current
    if current is None or not _valid(current.certificate, now):
        return Plan(Step.NEW_AUTHORITY, "; ".join(seen.broken) or "there is no valid CA", now)
    if seen.following is None and _left(current.certificate, now) < AUTHORITY_MARGIN:
        return Plan(Step.NEXT_AUTHORITY, f"the CA ends on {_day(current.certificate)}", now)
    wanted = trusted(seen, now)
    if any(bundle is None or set(bundle) != set(wanted) for bundle in seen.hooks):
        return Plan(Step.PUBLISH, "a hook does not hold the CAs it should", now)
    signer = seen.following or current
    why = leaf_problem(seen, signer, hosts, now)
    if why:
        return _issue(seen, signer, why, now)
    leaf = seen.leaf
    if leaf is not None and seen.old is not None:
        if now >= leaf.issued + OVERLAP and seen.settled:
            return Plan(Step.DROP, "the leaf of the new CA is a day old", now)
        return Plan(Step.NOTHING, "two CAs are trusted", max(leaf.issued + OVERLAP, now + SETTLE))
    return Plan(Step.NOTHING, "all is fresh", later)


def _issue(seen: Observed, signer: Authority, why: str, now: dt.datetime) -> Plan:
    """Issue at once where nobody trusts anything yet; else when the CA has been published."""
    first = seen.leaf is None and not _strangers(seen, now) and seen.old is None
    since = seen.published.get(fingerprint(signer.certificate))
    if not first:
        if since is None:
            return Plan(Step.MARK, why, now)
        if now < since + SETTLE:
            return Plan(Step.WAIT, why, since + SETTLE)
    return Plan(Step.ISSUE, why, now)


def leaf_problem(
    seen: Observed, signer: Authority, hosts: tuple[str, ...], now: dt.datetime
) -> str | None:
    """Say why a leaf is due; None where it is fresh."""
    if seen.leaf is None:
        return "there is no leaf with its key"
    certificate = seen.leaf.certificate
    if certificate.issuer != signer.certificate.subject or not _verified(
        certificate, signer.certificate, hosts, now
    ):
        return "the leaf is not the CA's, not for these names, or not valid"
    if _left(certificate, now) < LEAF_MARGIN:
        return f"the leaf ends on {_day(certificate)}"
    return None


def trusted(seen: Observed, now: dt.datetime) -> tuple[x509.Certificate, ...]:
    """Return the CAs that every hook should hold, oldest first; strangers stay for a day."""
    own = [seen.old] if seen.old is not None and _valid(seen.old, now) else []
    own += [a.certificate for a in (seen.current, seen.following) if a is not None]
    found = {*own, *_strangers(seen, now)}
    return tuple(sorted(found, key=lambda ca: (ca.not_valid_before_utc, ca.serial_number)))


def _strangers(seen: Observed, now: dt.datetime) -> set[x509.Certificate]:
    """Return CAs that hooks trust and the store does not know: what a lost Secret leaves.

    They stay until a leaf of our own CA has been shown for a day.
    """
    if seen.leaf is not None and seen.current is not None:
        is_ours = seen.leaf.certificate.issuer == seen.current.certificate.subject
        if is_ours and now >= seen.leaf.issued + OVERLAP:
            return set()
    own = {a.certificate for a in (seen.current, seen.following) if a is not None} | {seen.old}
    there = {ca for bundle in seen.hooks if bundle for ca in bundle}
    return {ca for ca in there - own if _valid(ca, now)}


def fingerprint(certificate: x509.Certificate) -> str:
    """Return a certificate's SHA-256 in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def certificates(pem: bytes) -> tuple[x509.Certificate, ...] | None:
    """Return a bundle's certificates; None for what is no bundle, or too large to be one."""
    if not pem.strip() or len(pem) > MAX_PEM:
        return None
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        return None


def private_key(pem: bytes, certificate: x509.Certificate) -> ec.EllipticCurvePrivateKey | None:
    """Return a key that matches the certificate; None for any other."""
    if len(pem) > MAX_PEM:
        return None
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        return None
    matches = isinstance(key, ec.EllipticCurvePrivateKey)
    matches = matches and key.public_key() == certificate.public_key()
    return key if isinstance(key, ec.EllipticCurvePrivateKey) and matches else None


def _verified(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    hosts: Iterable[str],
    now: dt.datetime,
) -> bool:
    """Verify the chain for every name, as strictly as Python 3.13 clients do."""
    store = verification.Store([authority])
    for host in hosts:
        builder = verification.PolicyBuilder().store(store).time(now)
        try:
            builder.build_server_verifier(issue.subject(host)).verify(certificate, [])
        except verification.VerificationError:
            return False
    return True


def _valid(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _left(certificate: x509.Certificate, now: dt.datetime) -> dt.timedelta:
    return certificate.not_valid_after_utc - now


def _day(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.date().isoformat()
