"""Measure the product beside others, alternating, on fresh connections; print, judge, and write."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import bodies, page, sides, through
from tests.bench.page import Figures
from tests.bench.rates import CASES, Rates, compare, progress
from tests.bench.sides import Quiet
from tests.cluster.controlplane import programs
from tests.reviews import review
from tests.server.hostile import total
from tests.server.test_server import calico
from tests.serving import ROOT, Server
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.words import Network

RUNS = 10
SECONDS = 2.0
WRITES = 2000
MANY_RULES = 1000
RULE = (
    "  - {{name: r{0}, match: {{namespaces: [n{0}], kinds: [Deployment]}}, placement: on-prem}}\n"
)
PINS = "  - {name: pins, match: {namespaces: [guard], kinds: [DaemonSet]}, placement: on-prem}\n"
POLICY = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: bgp\nrules:\n"


def main() -> int:
    """Measure every case and print a table, or JSON; with --write, docs/benchmarks.md too."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--writes", type=int, default=WRITES, help="through the API server")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measured(Path(scratch), options.runs, options.seconds, options.writes)
    progress("")
    if options.output == "json":
        print(json.dumps(plain(figures), indent=2))
    else:
        print(page.text(figures))
    if options.write:
        (ROOT / "docs" / "benchmarks.md").write_text(page.text(figures))
    return 0 if all(row.passed for row in page.wanted(figures)) else 1


def measured(scratch: Path, runs: int, seconds: float, writes: int) -> Figures:
    """Return every figure."""
    load, body = sides.build("load", scratch), scratch / "body.json"
    with sides.all_sides(scratch) as urls:
        rates = {
            case.name: compare(load, urls, case, body, runs=runs, seconds=seconds) for case in CASES
        }
        few = {side: urls[side] for side in ("guard", "floor")}
        alone = {
            case.name: compare(
                load, few, case, body, runs=max(1, runs // 2), seconds=seconds, connections=1
            )
            for case in CASES[:2]
        }
    return Figures(
        rates=rates,
        alone=alone,
        many_rules=many_rules(load, scratch, body, max(1, runs // 2), seconds),
        decision=milliseconds(Hook.MUTATE, bodies.daemonset()),
        eni_config=milliseconds(Hook.VALIDATE, bodies.eni_config()),
        **footprint(load, body, seconds),
        added=behind_the_api_server(scratch, writes) if writes else None,
    )


def many_rules(
    load: Path, scratch: Path, body: Path, runs: int, seconds: float
) -> Mapping[str, Rates]:
    """Return the rates of a server with one rule and of one with a thousand, none of which fits."""
    one, many = scratch / "one.yaml", scratch / "many.yaml"
    one.write_text(POLICY + RULE.format(0))
    many.write_text(POLICY + "".join(map(RULE.format, range(MANY_RULES))))
    with (
        Quiet("--policy", str(one)) as few,
        Quiet("--policy", str(many)) as lots,
    ):
        urls = {"one": few.url, "many": lots.url}
        return compare(load, urls, CASES[1], body, runs=runs, seconds=seconds)


def footprint(load: Path, body: Path, seconds: float) -> dict[str, Any]:
    """Return how soon a server is ready, and MiB of it all after 10,000 reviews."""
    server = Server("--network", "bgp", keeps_log=False)
    begun = time.monotonic()
    with server:
        while server.request("GET", "/readyz").status != 200:
            time.sleep(0.01)
        ready = time.monotonic() - begun
        server.review("/mutate", review(calico()))
        done = 0
        while done < 10_000 * min(1.0, seconds):
            found = compare(load, {"guard": server.url}, CASES[0], body, runs=1, seconds=seconds)
            done += int(found["guard"].best * seconds)
        return {"ready": ready, "memory": total(server, "smaps_rollup", "Pss")}


def behind_the_api_server(scratch: Path, writes: int) -> through.Added | None:
    """Return what the hooks add to a write, where the control plane's programs are."""
    if not all(map(programs.find, ("etcd", "kube-apiserver"))):
        return None
    policy = scratch / "policy.yaml"
    policy.write_text(POLICY + PINS)
    progress("through the API server")
    with (
        Quiet("--policy", str(policy)) as server,
        sides.started(
            sides.build("constant", scratch), str(server.certificate), str(server.key)
        ) as go,
    ):
        return through.measure({"go": go, "guard": server.url}, server.authority.pem, writes)


def milliseconds(hook: Hook, body: bytes, times: int = 300) -> float:
    """Return what one review costs, decoding and encoding included: the best of five rounds."""
    policy = parse.for_network(Network.BGP)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            exchange.answer(hook, body, policy)
        best = min(best, (time.process_time() - started) / times)
    return best * 1000


def plain(figures: Figures) -> dict[str, Any]:
    """Return the figures as JSON can hold them."""
    return asdict(figures)


if __name__ == "__main__":
    sys.exit(main())
