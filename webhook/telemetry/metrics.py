"""What Prometheus reads: decisions, their time, the policy's generation, the certificate's end.

Several workers answer one scrape through prometheus-client's multiprocess mode, so
PROMETHEUS_MULTIPROC_DIR must be set before this module is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from webhook.admission.record import Record

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


def decided(record: Record, seconds: float) -> None:
    """Count one decision. Rules come from the policy, so the labels are bounded."""
    _decision_counter(record.hook, record.verdict, record.rule).inc()
    _histogram(record.hook).observe(seconds)


def refused_call(status: int) -> None:
    """Count one bad call."""
    _BAD_CALLS.labels(str(status)).inc()


def connected() -> None:
    """Count one connection whose handshake is done."""
    _CONNECTIONS.inc()


def policy_loaded(generation: int) -> None:
    """Tell which policy serves."""
    _GENERATION.set(generation)
    _FAILED.set(0)


def policy_refused() -> None:
    """Tell that a new policy is broken and the last good one stays."""
    _FAILURES.inc()
    _FAILED.set(1)


def certificate_loaded(not_after: float) -> None:
    """Tell until when the served certificate is good, in Unix time."""
    _NOT_AFTER.set(not_after)


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
