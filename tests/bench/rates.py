"""Reviews a second of several servers: alternating, on fresh connections, best, median and worst."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import bodies


@dataclass(frozen=True)
class Case:
    """One body, the hook it is sent to, and a text that the product's answer holds."""

    name: str
    make: Callable[[], bytes]
    hook: str
    want: str


CASES = (
    Case("calico-node DaemonSet, injected", bodies.daemonset, "mutate", "patchType"),
    Case("small Deployment, left alone", bodies.deployment, "mutate", "allowed"),
    Case("eni-config ConfigMap, judged", bodies.eni_config, "validate", "allowed"),
)


@dataclass(frozen=True)
class Rates:
    """What the sets of one side gave: reviews a second in order of size, and latencies in ms."""

    sets: tuple[float, ...]
    p50: float
    p99: float

    @property
    def worst(self) -> float:
        return self.sets[0]

    @property
    def median(self) -> float:
        return statistics.median(self.sets)

    @property
    def best(self) -> float:
        return self.sets[-1]


def measure(
    load: Path, url: str, body: Path, want: str, *, seconds: float, connections: int = 8
) -> dict[str, Any]:
    """Return what one short run on fresh connections did."""
    done = subprocess.run(
        [
            load, "-url", url, "-body", body, "-want", want,
            "-duration", f"{seconds}s", "-connections", str(connections),
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    if report["errors"]:
        sys.exit(f"bench: {report['errors']} wrong answers from {url}")
    return report


def compare(
    load: Path,
    urls: Mapping[str, str],
    case: Case,
    body: Path,
    *,
    runs: int,
    seconds: float,
    connections: int = 8,
) -> dict[str, Rates]:
    """Run all sides alternating; return the rates of each."""
    body.write_bytes(case.make())
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in urls}
    for number in range(runs):
        for side, url in urls.items():
            progress(f"{case.name}, run {number + 1} of {runs}: {side}")
            hook = case.hook if side == "guard" else "mutate"
            want = case.want if side == "guard" else "allowed"
            found[side].append(
                measure(load, f"{url}/{hook}", body, want, seconds=seconds, connections=connections)
            )
    return {side: rates(reports) for side, reports in found.items()}


def rates(reports: list[dict[str, Any]]) -> Rates:
    """Return the sets' rates, and the medians of their latencies."""
    return Rates(
        tuple(sorted(report["rps"] for report in reports)),
        statistics.median(report["p50_us"] for report in reports) / 1000,
        statistics.median(report["p99_us"] for report in reports) / 1000,
    )


def progress(text: str) -> None:
    """Show what is running, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
