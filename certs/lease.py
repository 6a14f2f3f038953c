"""One rotator at a time, by a Lease (coordination.k8s.io/v1) that exists already.

A follower judges by its own clock for how long it saw the holder not renew, never by the times in
the Lease, so clocks need not agree (client-go, tools/leaderelection).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from certs.kube import ApiError, Kube

SECONDS = 30


class Lease:
    """A Lease as seen by one candidate."""

    def __init__(
        self, kube: Kube, path: str, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kube = kube
        self._path = path
        self._identity = identity
        self._clock = clock
        self._seen: tuple[str, str] | None = None
        self._since = 0.0

    def held(self) -> bool:
        """Take or renew the Lease; tell whether it is ours now. Raises ApiError."""
        lease = self._kube.get(self._path)
        spec = lease.get("spec") or {}
        holder, renewed = spec.get("holderIdentity") or "", spec.get("renewTime") or ""
        if self._seen != (holder, renewed):
            self._seen, self._since = (holder, renewed), self._clock()
        if holder not in ("", self._identity) and self._clock() < self._since + SECONDS:
            return False
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        new = {"holderIdentity": self._identity, "renewTime": now, "leaseDurationSeconds": SECONDS}
        if holder != self._identity:
            new |= {
                "acquireTime": now,
                "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1,
            }
        return self._write(lease["metadata"]["resourceVersion"], new)

    def release(self) -> None:
        """Give the Lease back, so that the next candidate need not wait."""
        lease = self._kube.get(self._path)
        if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
            self._write(lease["metadata"]["resourceVersion"], {"holderIdentity": ""})

    def _write(self, version: str, spec: dict[str, object]) -> bool:
        try:
            self._kube.merge(self._path, {"metadata": {"resourceVersion": version}, "spec": spec})
        except ApiError as error:
            if error.status == 409:  # noqa: PLR2004  # somebody else was quicker
                return False
            raise
        return True
