"""The policy that serves: re-read when its file changes, the last good one kept."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from webhook.policy.model import Policy
from webhook.telemetry import logs, metrics

_LOOK_SECONDS = 1.0


class PolicyWatch:
    """Holds the policy, and looks at its file once a second from a thread of its own.

    The content counts, not the time stamp: a ConfigMap's mount is a chain of links that are
    swapped. `load` raises ValueError, whose text lists what is wrong.
    """

    def __init__(self, load: Callable[[], Policy], path: Path | None) -> None:
        self._load = load
        self._path = path
        self._digest = self._look()
        self._policy = load()
        self._generation = 1
        self._stop = threading.Event()

    def current(self) -> Policy:
        """Return the policy that serves."""
        return self._policy

    def start(self) -> None:
        """Announce the policy and, if it comes from a file, begin to watch; after the fork."""
        metrics.policy_loaded(self._generation)
        if self._path is not None:
            threading.Thread(target=self._watch, name="policy", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()

    def refresh(self) -> None:
        """Take the file's policy if it is a new one and a good one."""
        digest = self._look()
        if digest is None or digest == self._digest:
            return
        self._digest = digest
        try:
            self._policy = self._load()
        except ValueError as error:
            self._refuse(str(error).splitlines())
            return
        except Exception as error:  # noqa: BLE001  # a fault of ours must not end the watch
            self._refuse([f"it cannot be loaded: {type(error).__name__}"])
            return
        self._generation += 1
        metrics.policy_loaded(self._generation)
        logs.event("policy-loaded", generation=self._generation)

    def _refuse(self, problems: list[str]) -> None:
        metrics.policy_refused()
        logs.event("policy-refused", problems=problems)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self.refresh()

    def _look(self) -> bytes | None:
        """Return the digest of the file, None while it cannot be read (as in mid-swap)."""
        if self._path is None:
            return None
        try:
            return hashlib.sha256(self._path.read_bytes()).digest()
        except OSError:
            return None
