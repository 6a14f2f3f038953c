"""What Prometheus reads: decisions, their time, the policy's generation, the certificate's end.

Several workers answer one scrape through prometheus-client's multiprocess mode, so
PROMETHEUS_MULTIPROC_DIR must be set before this module is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from webhook.admission.record import Record

_P = ParamSpec("_P")
_ROOM = 64 * 1024  # of a worker's file of each kind at first: some 400 series
_KINDS = ("counter", "histogram", "gauge_livemostrecent", "gauge_livesum")
_is_off = False
_OVERHEAD = 32  # of a key in it, at most


class _Allocated(MmapedDict):
    """The library's file of values, with its blocks allocated before they are written.

    Written without them on a full disk, the process is killed by SIGBUS; now it is an OSError.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:  # noqa: FBT001, FBT002  # the library's signature
        if not read_mode:
            _allocate(filename, _ROOM)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]  # the library's

    def _init_value(self, key: str) -> None:
        if self._used + len(key.encode()) + _OVERHEAD > self._capacity:
            _allocate(self._fname, 2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]  # the library's


def _allocate(filename: str, size: int) -> None:
    """Raises OSError where the disk is full, and leaves the file as it was."""
    with open(filename, "ab") as file:  # noqa: PTH123  # a name of the library's
        before = os.fstat(file.fileno()).st_size
        try:
            os.posix_fallocate(file.fileno(), 0, max(size, before))
        except OSError:
            os.ftruncate(file.fileno(), before)
            raise


values.MmapedDict = _Allocated  # type: ignore[attr-defined]  # its one seam

# Server-side time is 0.1 to 1 ms; the upper buckets are the hooks' time-outs (3 s, 5 s).
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0, 5.0)

_DECISIONS = Counter(
    "hybrid_guard_decisions", "Decisions by hook, verdict and rule.", ["hook", "verdict", "rule"]
)
_SECONDS = Histogram(
    "hybrid_guard_decision_seconds", "Time of a decision.", ["hook"], buckets=_BUCKETS
)
_BAD_CALLS = Counter(
    "hybrid_guard_bad_calls", "Calls that were no AdmissionReview, by status.", ["status"]
)
_OPEN = Gauge("hybrid_guard_open_connections", "Connections held now.", multiprocess_mode="livesum")
_TURNED_AWAY = Counter(
    "hybrid_guard_connections_turned_away",
    "Connections ended to make room, by the bound: source, unproven, full, memory, files.",
    ["reason"],
)
_DROPPED = Counter(
    "hybrid_guard_log_lines_dropped", "Log lines that found no room on standard output."
)
_DIED = Counter("hybrid_guard_workers_died", "Workers that ended and were not asked to.")
_CONNECTIONS = Counter(
    "hybrid_guard_connections", "TLS connections taken: handshakes that were completed."
)
_GENERATION = Gauge(
    "hybrid_guard_policy_generation",
    "How many policies were loaded since the start.",
    multiprocess_mode="livemostrecent",
)
_FAILED = Gauge(
    "hybrid_guard_policy_last_load_failed",
    "1 while the policy file is broken and the last good one serves.",
    multiprocess_mode="livemostrecent",
)
_FAILURES = Counter("hybrid_guard_policy_load_failures", "Policies that were refused.")
_NOT_AFTER = Gauge(
    "hybrid_guard_certificate_not_after_seconds",
    "End of the served certificate, in Unix time.",
    multiprocess_mode="livemostrecent",
)
_CERTIFICATE_FAILURES = Counter(
    "hybrid_guard_certificate_load_failures", "Certificate pairs that were refused."
)


@cache
def _decision_counter(hook: str, verdict: str, rule: str) -> Counter:
    return _DECISIONS.labels(hook, verdict, rule)


@cache
def _histogram(hook: str) -> Histogram:
    return _SECONDS.labels(hook)


def _kept_from_harm(count: Callable[_P, None]) -> Callable[_P, None]:
    """Let a count that finds no room be lost: no reason to fail an admission."""

    @wraps(count)
    def counted(*arguments: _P.args, **named: _P.kwargs) -> None:
        if _is_off:
            return
        try:
            count(*arguments, **named)
        except OSError:
            return

    return counted


def begin() -> bool:
    """Make room for what this process will count; after a fork. False where there is none.

    Then nothing is counted here: the library gives its files up half-way.
    """
    global _is_off  # noqa: PLW0603  # there is one library to keep from harm
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    try:
        for kind in _KINDS if folder else ():
            _allocate(f"{folder}/{kind}_{os.getpid()}.db", _ROOM)
    except OSError:
        _is_off = True
    return not _is_off


@_kept_from_harm
def decided(record: Record, seconds: float) -> None:
    """Count one decision. Rules come from the policy, so the labels are bounded."""
    _decision_counter(record.hook, record.verdict, record.rule).inc()
    _histogram(record.hook).observe(seconds)


@_kept_from_harm
def refused_call(status: int) -> None:
    """Count one bad call."""
    _BAD_CALLS.labels(str(status)).inc()


@_kept_from_harm
def connected() -> None:
    """Count one connection whose handshake is done."""
    _CONNECTIONS.inc()


@_kept_from_harm
def connections_open(count: int) -> None:
    """Tell how many connections this worker holds."""
    _OPEN.set(count)


@_kept_from_harm
def turned_away(reason: str) -> None:
    """Count a connection that had to go."""
    _TURNED_AWAY.labels(reason).inc()


@_kept_from_harm
def line_dropped() -> None:
    """Count a log line that nobody will read."""
    _DROPPED.inc()


@_kept_from_harm
def worker_died() -> None:
    """Count a worker that ended and was not asked to."""
    _DIED.inc()


@_kept_from_harm
def forget(pid: int) -> None:
    """Take what an ended worker said of itself out of what all say."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library has no types here


@_kept_from_harm
def policy_loaded(generation: int) -> None:
    """Tell which policy serves."""
    _GENERATION.set(generation)
    _FAILED.set(0)


@_kept_from_harm
def policy_refused() -> None:
    """Tell that a new policy is broken and the last good one stays."""
    _FAILURES.inc()
    _FAILED.set(1)


@_kept_from_harm
def certificate_loaded(not_after: float) -> None:
    """Tell until when the served certificate is good, in Unix time."""
    _NOT_AFTER.set(not_after)


@_kept_from_harm
def certificate_refused() -> None:
    """Tell that a new pair is broken and the last good one stays."""
    _CERTIFICATE_FAILURES.inc()


class _Workers(Collector):
    """What all workers counted, each in files of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """Add them up."""
        files = [str(path) for path in self._folder.glob("*.db") if _is_filled(path)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # the library has no types here
        return merged


def _is_filled(path: Path) -> bool:
    """Tell a file to read: a worker makes it, then its length, and what has ended may go."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def render() -> tuple[bytes, str]:
    """Return the text of all workers together, and its content type."""
    registry = REGISTRY
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        registry.register(_Workers(folder))
    return generate_latest(registry), CONTENT_TYPE_LATEST
