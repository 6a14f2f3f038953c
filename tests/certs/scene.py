"""Stores, hooks and clocks for the tests: in memory, and as slow to spread as the real ones."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.x509 import verification

from certs.inject import Wanted
from certs.pem import Bundle
from certs.renewal import Step
from certs.rotate import Rotator, observe
from certs.store import ConflictError, Snapshot

T = TypeVar("T")
START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOSTS = ("hybrid-guard.kube-system.svc", "hybrid-guard", "192.0.2.10")


class Memory:
    """A store that refuses a write of another version."""

    def __init__(self, data: Mapping[str, bytes] | None = None) -> None:
        self.data = dict(data or {})
        self.version = 0
        self.writes = 0

    def read(self) -> Snapshot:
        return Snapshot(dict(self.data), str(self.version))

    def write(self, data: Mapping[str, bytes], version: str) -> None:
        if version != str(self.version):
            raise ConflictError
        self.data, self.version, self.writes = dict(data), self.version + 1, self.writes + 1


Held = tuple[x509.Certificate, ...] | None


class Hooks:
    """Four hooks in memory, and what each trusts; None where it trusts nothing."""

    def __init__(self, bundles: Sequence[Held] = (None,) * 4) -> None:
        self.now: list[Held] = list(bundles)
        self.published = 0

    def bundles(self) -> tuple[Bundle, ...]:
        return tuple(Bundle(held or (), whole=bool(held)) for held in self.now)

    def publish(self, wanted: Wanted) -> None:
        self.now = [tuple(wanted(bundle)) for bundle in self.bundles()]
        self.published += 1


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: dt.datetime = START) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


def rotator(store: Memory, hooks: Hooks, *, settled: bool = True) -> Rotator:
    return Rotator(store=store, hooks=hooks, hosts=HOSTS, settled=lambda _: settled)


def settle(store: Memory, hooks: Hooks, clock: Clock) -> list[Step]:
    """Run until there is nothing to do, waiting where it says so."""
    steps: list[Step] = []
    for _ in range(20):
        for plan in rotator(store, hooks).steps(clock):
            steps.append(plan.step)
        if plan.step is Step.NOTHING:
            return steps
        clock.now = plan.again
    raise AssertionError(f"no end: {steps}")


def due_for_a_new_ca() -> tuple[Memory, Hooks, Clock]:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)
    while clock.now < START + dt.timedelta(days=5 * 365 - 181 - 50):
        clock.move(days=50)
        settle(store, hooks, clock)
        if "old-ca.crt" in store.data or "next-ca.crt" in store.data:
            raise AssertionError("too early")
    clock.now = START + dt.timedelta(days=5 * 365 - 180, minutes=1)
    return store, hooks, clock


def leaf(store: Memory) -> x509.Certificate:
    return x509.load_pem_x509_certificate(store.data["tls.crt"])


def accepted(
    shown: x509.Certificate, trusted: tuple[x509.Certificate, ...], now: dt.datetime
) -> bool:
    builder = verification.PolicyBuilder().store(verification.Store(list(trusted))).time(now)
    try:
        builder.build_server_verifier(x509.DNSName(HOSTS[0])).verify(shown, [])
    except verification.VerificationError:
        return False
    return True


def step(store: Memory, hooks: Hooks, clock: Clock) -> Step:
    """Carry out one step, and die."""
    plans = rotator(store, hooks).steps(clock)
    first = next(plans)
    for _ in itertools.islice(plans, 1):
        pass  # it is carried out when the next is asked for
    return first.step


def no_call_fails(
    store: Memory, hooks: Hooks, clock: Clock, lasts: dt.timedelta, every: dt.timedelta,
    shown: x509.Certificate | None = None,
) -> None:  # fmt: skip
    """Do one step at a time; meanwhile every API server accepts what every server shows.

    An API server may hold a bundle for a minute after it changed, a server its pair for two, and
    for good where the new one is broken. `shown` is what servers show at first.
    """
    bundles = [(clock.now, tuple(hooks.now))]
    pairs = [(clock.now, shown or leaf(store))]
    end = clock.now + lasts
    while clock.now < end:
        done = step(store, hooks, clock)
        bundles.append((clock.now, tuple(hooks.now)))
        served = observe(store.data, ()).leaf
        pairs.append((clock.now, served.certificate if served else pairs[-1][1]))
        bundles = _in_use(bundles, clock.now - dt.timedelta(seconds=59))
        pairs = _in_use(pairs, clock.now - dt.timedelta(minutes=2))
        for certificate, held in itertools.product(
            {pair for _, pair in pairs}, {held for _, hook in bundles for held in hook}
        ):
            assert held is not None
            assert accepted(certificate, held, clock.now), done
        clock.now += every


def _in_use(seen: list[tuple[dt.datetime, T]], since: dt.datetime) -> list[tuple[dt.datetime, T]]:
    """Leave out what was replaced before a moment."""
    replaced = (when for when, _ in seen[1:])
    return [one for one, when in zip(seen, replaced, strict=False) if when >= since] + seen[-1:]
