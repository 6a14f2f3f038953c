"""What was measured, against what is wanted, as docs/benchmarks.md has it."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.rates import CASES, Rates
from tests.bench.through import Added

DAEMONSET, DEPLOYMENT, ENI_CONFIG = (case.name for case in CASES)
ELSEWHERE = """\
| elsewhere: 8 connections, 2 cores | DaemonSet /s, p50, p99 ms | Deployment /s, p50, p99 ms |
|---|---|---|
| Gatekeeper | 595, 13.5, 76 | 4,376, 1.4, 22 |
| Kyverno 1.19 | 759, 8.8, 118 | 2,703, 2.5, 24 |
| hybrid-guard 0.1.0, all connections on one worker as usual | 1,290, 6.0, 11.3 | 1,780, 4.4, 8.7 |
"""


@dataclass(frozen=True)
class Figures:
    """All that was measured; rates by case and side, times in ms unless said, memory in MiB."""

    rates: Mapping[str, Mapping[str, Rates]]
    alone: Mapping[str, Mapping[str, Rates]]
    many_rules: Mapping[str, Rates]
    decision: float
    eni_config: float
    ready: float
    """Seconds from the start of the process to its first ready answer."""
    memory: int
    added: Added | None


@dataclass(frozen=True)
class Row:
    """One figure, and its bound: at least, or at most where `is_most`."""

    what: str
    figure: float
    bound: float
    is_most: bool = False

    @property
    def passed(self) -> bool:
        """Whether it keeps the bound."""
        return self.figure <= self.bound if self.is_most else self.figure >= self.bound


def wanted(figures: Figures) -> list[Row]:
    """Return every figure that has a bound."""
    rows = [*_rates(figures), *_latencies(figures)]
    rules = figures.many_rules
    rows += [
        Row("1,000 rules, of one rule", rules["many"].median / rules["one"].median, 0.8),
        Row("deciding a DaemonSet, us of one core", figures.decision * 1000, 60, is_most=True),
        Row("judging an eni-config, us of one core", figures.eni_config * 1000, 1000, is_most=True),
        Row("ready after, s", figures.ready, 1.0, is_most=True),
        Row("master and both workers after 10,000 reviews, MiB", figures.memory, 90, is_most=True),
    ]
    if figures.added is not None:
        what = "what two hooks add to a dry run through the API server, of what a Go webhook adds"
        rows.append(Row(what, figures.added.ratio, 1.25, is_most=True))
    return rows


def _rates(figures: Figures) -> Iterator[Row]:
    bounds = {
        DAEMONSET: {"floor": 1.6, "bare": 0.45, "go": 0.4},
        DEPLOYMENT: {"floor": 2.2, "bare": 0.55, "go": 0.25},
        ENI_CONFIG: {"floor": 1.0},
    }
    for case, others in bounds.items():
        sides = figures.rates[case]
        guard = sides["guard"]
        for side, least in others.items():
            other = sides[side].best if side == "floor" else sides[side].median
            yield Row(f"{case}: of {NAMES[side]}", guard.median / other, least)
        yield Row(f"{case}: worst set of the best", guard.worst / guard.best, 0.85)


def _latencies(figures: Figures) -> Iterator[Row]:
    for case in (DAEMONSET, DEPLOYMENT):
        sides, alone = figures.rates[case], figures.alone[case]
        share = sides["guard"].p99 / sides["floor"].p99
        yield Row(f"{case}: p99, of the floor's", share, 0.5, is_most=True)
        share = alone["guard"].p50 / alone["floor"].p50
        yield Row(f"{case}: p50 on one connection, of the floor's", share, 0.5, is_most=True)


NAMES = {
    "guard": "hybrid-guard",
    "nothing": "hybrid-guard's loop, answering a constant",
    "floor": "the floor's best set",
    "bare": "a constant on gunicorn's ASGI worker",
    "go": "a Go webhook that does nothing",
}
_SIDES = {**NAMES, "floor": "the floor: Flask on gunicorn's threads, a constant"}


def text(figures: Figures) -> str:
    """Return the page."""
    parts = [
        "# Benchmarks\n",
        (
            "Written by `make bench`. All of a row in one run, alternating, on fresh connections; the "
            "load generator runs on the same cores, so absolute figures are of this machine only; logs go to "
            "/dev/null.\n"
        ),
        _machine(figures),
        "## Ratios, and what was wanted\n",
        _table(("", "measured", "wanted", ""), _wanted(figures)),
        "## Reviews a second, 8 connections\n",
        *(_sides(case, figures.rates[case]) for case in figures.rates),
        "## One connection\n",
        *(_sides(case, figures.alone[case]) for case in figures.alone),
    ]
    if figures.added is not None:
        parts += ["## Through the API server\n", _added(figures.added)]
    parts += [
        "## Peers, as measured elsewhere\n",
        ELSEWHERE,
        (
            "Through the API server, dry runs, p50: without a webhook 2.2 to 2.4 ms, an in-process policy "
            "4.0, hybrid-guard 0.1.0 4.9 to 5.2, Kyverno 9.6, Gatekeeper 10.2 (DaemonSet)."
        ),
    ]
    return "\n".join(parts) + "\n"


def _machine(figures: Figures) -> str:
    runs = len(next(iter(figures.rates.values()))["guard"].sets)
    model = next(
        (line.split(":")[1].strip() for line in _cpu() if line.startswith("model name")), "unknown"
    )
    day = dt.datetime.now(dt.UTC).date().isoformat()
    return (
        f"{day}: {os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; the median of {runs} sets unless said.\n"
    )


def _cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _wanted(figures: Figures) -> Iterator[Sequence[str]]:
    for row in wanted(figures):
        bound = f"at {'most' if row.is_most else 'least'} {row.bound:g}"
        yield row.what, f"{row.figure:.2f}", bound, "" if row.passed else "**missed**"


def _sides(case: str, sides: Mapping[str, Rates]) -> str:
    rows = [
        (
            _SIDES.get(side, side), f"{rate.worst:,.0f}", f"{rate.median:,.0f}", f"{rate.best:,.0f}",
            f"{rate.p50:.2f}", f"{rate.p99:.2f}",
        )
        for side, rate in sides.items()
    ]  # fmt: skip
    return _table((case, "worst /s", "median /s", "best /s", "p50 ms", "p99 ms"), rows)


def _added(added: Added) -> str:
    rows = [
        ("no webhook", f"{added.none:.2f}", ""),
        *(
            (f"both hooks of {NAMES[name]}", f"{added.none + more:.2f}", f"+{more:.2f}")
            for name, more in added.milliseconds.items()
        ),
    ]
    told = (
        f"{added.writes:,} writes each, interleaved; the ratio of what is added is "
        f"{added.ratio:.2f} (95 %: {added.low:.2f} to {added.high:.2f}).\n"
    )
    return _table(("a DaemonSet's dry run", "p50 ms", ""), rows) + "\n" + told


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
