"""What is read again when its file changes: the policy, and the thread that looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from webhook.policy.model import Policy
from webhook.server.kept import Kept
from webhook.telemetry import logs, metrics

_LOOK_SECONDS = 1.0


def watch(*looks: Callable[[], None]) -> None:
    """Call each once a second from a thread of its own, for as long as the process lives."""
    waits = threading.Event()

    def run() -> None:
        while not waits.wait(_LOOK_SECONDS):
            for look in looks:
                look()

    threading.Thread(target=run, name="watch", daemon=True).start()


class PolicyWatch:
    """Holds the policy that serves: what its file holds, or the last of it that was good.

    The content counts, not the time stamp: a ConfigMap's mount is a chain of links that are
    swapped. `load` takes the content and raises ValueError, whose text lists what is wrong;
    without a path it is asked once, for an empty content.
    """

    def __init__(self, load: Callable[[bytes], Policy], path: Path | None) -> None:
        self._load = load
        self._path = path
        content = path.read_bytes() if path else b""
        self._policy = load(content)
        self._seen = content
        self._kept = Kept(content)
        self._generation = 1

    def current(self) -> Policy:
        """Return the policy that serves."""
        return self._policy

    def restore(self) -> None:
        """Take what the siblings of this worker serve; once, after the fork."""
        kept = self._kept.read()
        if kept.generation != self._generation:
            self._policy = self._load(kept.content)
            self._seen, self._generation = kept.content, kept.generation
        metrics.policy_loaded(self._generation)
        self.refresh()

    def refresh(self) -> None:
        """Take the file's policy if it is a new one and a good one."""
        content = self._look()
        if content is None or content == self._seen:
            return
        self._seen = content
        try:
            self._policy = self._load(content)
        except ValueError as error:
            self._refuse(str(error).splitlines())
            return
        except Exception as error:  # noqa: BLE001  # a fault of ours must not end the watch
            self._refuse([f"it cannot be loaded: {type(error).__name__}"])
            return
        self._generation = self._kept.keep(content)
        metrics.policy_loaded(self._generation)
        logs.event("policy-loaded", generation=self._generation)

    def _refuse(self, problems: list[str]) -> None:
        metrics.policy_refused()
        logs.event("policy-refused", problems=problems)

    def _look(self) -> bytes | None:
        """Return what the file holds, None while it cannot be read (as in mid-swap)."""
        try:
            return self._path.read_bytes() if self._path else None
        except OSError:
            return None
