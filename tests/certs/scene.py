"""Stores, hooks and clocks for the tests: in memory, and as slow to spread as the real ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from cryptography import x509

from certs.inject import Bundle
from certs.rotate import Rotator
from certs.store import ConflictError, Snapshot

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


class Hooks:
    """Four hooks in memory."""

    def __init__(self, bundles: Sequence[Bundle] = (None,) * 4) -> None:
        self.now: list[Bundle] = list(bundles)
        self.published = 0

    def bundles(self) -> tuple[Bundle, ...]:
        return tuple(self.now)

    def publish(self, trusted: Sequence[x509.Certificate]) -> None:
        self.now = [tuple(trusted)] * len(self.now)
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
