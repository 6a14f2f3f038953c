"""What an audit costs: ratios to a bare libyaml parse and to kubectl, and peak memory."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster import many
from tests.cluster.controlplane import programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.programs import ProgramMissingError
from tests.serving import ROOT

RUNS = 5
FILES, STREAM, LIVE = 3_000, 100_000, 10_000
MOST_PARSES, MOST_KUBECTL, MOST_MEGABYTES = 3.0, 2.0, 150
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {names: ["*99"]}, placement: on-prem}
"""
EVERY = POLICY.replace('["*99"]', '["*"]')
PARSE = "import sys, yaml; sum(1 for _ in yaml.load_all(open(sys.argv[1], 'rb'), yaml.CSafeLoader))"
Command = Sequence[str | Path]


# A small process starts the program: a child's peak memory counts that of who started it.
MEASURE = """
import json, os, subprocess, sys, time
started = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.monotonic() - started
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss / 1024]))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: seconds on the clock, seconds of processors, and peak memory."""

    wall: float
    cpu: float
    megabytes: float


def cost(command: Command) -> Cost:
    """Run a program to its end; an audit may find errors."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", MEASURE, *map(str, command)],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    status, *figures = json.loads(done.stdout)
    if status not in (0, 1):
        sys.exit(f"bench: {command[0]} ended with {status}")
    return Cost(*figures)


def environment() -> dict[str, str]:
    """Return the environment, with compiled modules kept as everywhere."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def ratio(ours: Command, floor: Command, runs: int, of: Callable[[Cost], float]) -> float:
    """Run two programs by turns and return how much more the first takes, by the medians."""
    pairs = [(of(cost(ours)), of(cost(floor))) for _ in range(runs)]
    return statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)


def audit(*arguments: str | Path) -> Command:
    """Return the command of an audit."""
    return [sys.executable, "-m", "webhook", "audit", *arguments]


def write_stream(file: Path, count: int) -> None:
    """Write Deployments as a YAML stream."""
    with file.open("w") as out:
        for number in range(count):
            obj = many.deployment(f"web-{number}", f"team-{number % 50}")
            out.write("---\n")
            yaml.dump(obj, out, Dumper=yaml.CSafeDumper, sort_keys=False)


def write_list(file: Path, count: int) -> None:
    """Write Deployments as kubectl prints a List: the kind behind the items."""
    with file.open("w") as out:
        out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
        for number in range(count):
            obj = many.deployment(f"web-{number}", f"team-{number % 50}")
            out.write(json.dumps(obj, indent=4) + (",\n" if number + 1 < count else "\n"))
        out.write('    ],\n    "kind": "List"\n}\n')


def files(scratch: Path, runs: int, count: int = FILES) -> Iterator[tuple[str, float, float]]:
    """Yield what an audit of files costs beside a bare parse of them."""
    stream = scratch / "files.yaml"
    write_stream(stream, count)
    floor: Command = [sys.executable, "-c", PARSE, stream]
    for name, policy in (("1 in 100 with a finding", POLICY), ("each with a finding", EVERY)):
        file = scratch / "policy.yaml"
        file.write_text(policy)
        took = ratio(audit("--policy", file, stream), floor, runs, lambda one: one.cpu)
        yield f"{count:,} Deployments from files, {name}: bare parses", took, MOST_PARSES


def memory(scratch: Path, count: int = STREAM) -> Iterator[tuple[str, float, float]]:
    """Yield the peak memory of long inputs."""
    policy = scratch / "policy.yaml"
    policy.write_text(POLICY)
    for name, write in (("stream.yaml", write_stream), ("list.json", write_list)):
        write(scratch / name, count)
        for form in ("table", "json"):
            took = cost(audit("--policy", policy, "--format", form, scratch / name)).megabytes
            yield f"{count:,} objects of {name} as {form}: MB", took, MOST_MEGABYTES


def live(scratch: Path, runs: int, count: int = LIVE) -> Iterator[tuple[str, float, float]]:
    """Yield what an audit of a cluster costs beside kubectl."""
    policy = scratch / "policy.yaml"
    policy.write_text(POLICY)
    with ControlPlane(controllers=False, scheduler=False, kwok=False) as plane:
        names = [f"team-{number}" for number in range(50)]
        many.create(
            plane,
            ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in names),
        )
        many.create(plane, (many.deployment(f"web-{n}", names[n % 50]) for n in range(count)))
        kubeconfig = ("--kubeconfig", plane.kubeconfig)
        floor: Command = [programs.kubectl(), *kubeconfig, "get", "deployments", "-A", "-o", "json"]
        ours = audit("--cluster", *kubeconfig, "--policy", policy)
        took = ratio(ours, floor, runs, lambda one: one.wall)
        yield (
            f"{count:,} Deployments of a live cluster: runs of kubectl get -o json",
            took,
            MOST_KUBECTL,
        )


def main() -> int:
    """Measure all, print a line each, and judge."""
    parser = argparse.ArgumentParser(prog="bench.audits", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        measured = (files(scratch, options.runs), memory(scratch), live(scratch, options.runs))
        for figures in measured:
            try:
                for name, took, most in figures:
                    good = good and took <= most
                    print(
                        f"{name} {took:.2f}  {'PASS' if took <= most else 'FAIL'} (at most {most:g})",
                        flush=True,
                    )
            except ProgramMissingError as error:
                print(f"not measured: {error}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
