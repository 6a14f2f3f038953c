"""Measure the product against the floor, alternating, on fresh connections; print and judge."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import bodies
from tests.serving import ROOT, Server
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.words import Network

HERE = Path(__file__).resolve().parent
RUNS = 8
SECONDS = 2
LEAST = 0.8

CASES = {
    "calico-node DaemonSet, injected": (bodies.daemonset, "patchType"),
    "small Deployment, left alone": (bodies.deployment, "allowed"),
    "eni-config ConfigMap, judged": (bodies.eni_config, "allowed"),
}
HOOKS = {"eni-config ConfigMap, judged": "validate"}
"""Cases of another hook; their rate is told and its bound is the time below, no ratio."""
ENI_CONFIG_MS = 1.0  # what a usual eni-config may take of one core


def build_load(folder: Path) -> Path:
    """Build the load generator."""
    go = shutil.which("go")
    if go is None:
        sys.exit("bench: Go is missing; it builds the load generator (https://go.dev/doc/install)")
    program = folder / "load"
    subprocess.run([go, "build", "-o", program, "."], cwd=HERE / "load", check=True)
    return program


@contextmanager
def floor(certificate: Path, key: Path) -> Iterator[str]:
    """Run the floor and yield its URL."""
    command = [sys.executable, "-m", "tests.bench.floor", str(certificate), str(key)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"https://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def measure(load: Path, url: str, body: Path, want: str, seconds: float) -> dict[str, Any]:
    """Return what one short run on fresh connections did."""
    done = subprocess.run(
        [load, "-url", url, "-body", body, "-want", want, "-duration", f"{seconds}s"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    if report["errors"]:
        sys.exit(f"bench: {report['errors']} wrong answers from {url}")
    return report


def compare(
    load: Path, urls: dict[str, str], body: Path, want: str, runs: int, seconds: float
) -> dict[str, Any]:
    """Run both sides alternating; return the best of each, the spread and the ratio."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in urls}
    for number in range(runs):
        for side, url in urls.items():
            progress(f"run {number + 1} of {runs}: {side}")
            found[side].append(
                measure(load, url, body, want if side == "guard" else "allowed", seconds)
            )
    result: dict[str, Any] = {}
    for side, reports in found.items():
        best = max(reports, key=lambda report: report["rps"])
        rates = [report["rps"] for report in reports]
        spread = [min(rates), statistics.median(rates), max(rates)]
        result[side] = {"spread_rps": [round(rate) for rate in spread], **best}
    result["ratio"] = result["guard"]["rps"] / result["floor"]["rps"]
    return result


def progress(text: str) -> None:
    """Show what is running, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> int:
    """Measure every case and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args()
    results = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        Server("--network", "bgp", keeps_log=False) as server,
    ):
        load = build_load(Path(scratch))
        with floor(server.certificate, server.key) as floor_url:
            for name, (make, want) in CASES.items():
                hook = HOOKS.get(name, "mutate")
                urls = {"floor": f"{floor_url}/mutate", "guard": f"{server.url}/{hook}"}
                body = Path(scratch) / "body.json"
                body.write_bytes(make())
                results[name] = {
                    "bytes": body.stat().st_size,
                    **compare(load, urls, body, want, options.runs, options.seconds),
                }
    progress("")
    judging = milliseconds(bodies.eni_config())
    if options.output == "json":
        print(json.dumps({**results, "eni-config in process": {"ms": judging}}, indent=2))
    else:
        show(results)
        verdict = "PASS" if judging <= ENI_CONFIG_MS else "FAIL"
        print(f"eni-config, judged in process: {judging:.2f} ms of one core  {verdict}")
    fast = all(r["ratio"] >= LEAST for name, r in results.items() if name not in HOOKS)
    return 0 if fast and judging <= ENI_CONFIG_MS else 1


def milliseconds(body: bytes, times: int = 300) -> float:
    """Return what one review costs, decoding and encoding included: the best of five rounds."""
    policy = parse.for_network(Network.BGP)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            exchange.answer(Hook.VALIDATE, body, policy)
        best = min(best, (time.process_time() - started) / times)
    return best * 1000


def show(results: dict[str, Any]) -> None:
    """Print the table."""
    for name, result in results.items():
        verdict = "" if name in HOOKS else "PASS" if result["ratio"] >= LEAST else "FAIL"
        print(f"{name} ({result['bytes']} bytes): {result['ratio']:.2f} of the floor  {verdict}")
        for side in ("floor", "guard"):
            row = result[side]
            low, middle, high = row["spread_rps"]
            print(
                f"  {side}  best {row['rps']:6.0f}/s  p50 {row['p50_us'] / 1000:5.2f} ms  "
                f"p99 {row['p99_us'] / 1000:5.2f} ms   spread {low} {middle} {high}"
            )


if __name__ == "__main__":
    sys.exit(main())
