"""`python -m tests [PYTEST'S ARGUMENTS]`: side by side what may be, then alone what must be.

Tests marked `serial` measure time or load the machine. Those marked `waiting` put a light load on
it for minutes: two of their files share them. Each run gets the arguments and one seed; the exit
status is the first that tells of a failure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.conftest import ROOT

MOST_WORKERS = 4
"""Each worker has control planes of its own, of about a gigabyte."""
CORES = len(os.sched_getaffinity(0))
# Whole files, in their order: fixtures of a module start once, and no long file comes last.
_FILES = ("--dist=loadfile", "--no-loadscope-reorder")
_WITHOUT_A_CLUSTER = "--ignore=tests/cluster"


def main(arguments: list[str]) -> int:
    """Run pytest in each of its ways and return one exit status for all."""
    signal.signal(signal.SIGINT, lambda *_: None)  # pytest takes it, and cleans up
    # Modules compiled once: a thousand processes that each do it again take a fifth of the time.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    statuses = {}
    for name, options in runs(with_cluster=_WITHOUT_A_CLUSTER not in arguments).items():
        command = [sys.executable, "-m", "pytest", "--durations=10", *options, *arguments]
        statuses[name] = subprocess.run(command, cwd=ROOT, env=kept, check=False).returncode
        if statuses[name] == pytest.ExitCode.INTERRUPTED:
            break
    for name, status in statuses.items():
        sys.stdout.write(f"tests {name}: exit status {status}\n")
    return of_all(statuses.values())


def runs(*, with_cluster: bool) -> dict[str, tuple[str, ...]]:
    """Return pytest's options for each run.

    Who talks to control planes waits a part of the time, so there is one worker more than cores;
    whatever is marked `waiting` is such a test.
    """
    workers = min(CORES + with_cluster, MOST_WORKERS)
    return {
        "side by side": ("-m", "not serial and not waiting", f"-n{workers}", *_FILES),
        **({"waiting": ("-m", "waiting", "-n2", *_FILES)} if with_cluster else {}),
        "alone": ("-m", "serial"),
    }


def of_all(statuses: Iterable[int]) -> int:
    """Return the first status of a failure; a run without tests is one only if none had any."""
    empty = int(pytest.ExitCode.NO_TESTS_COLLECTED)
    ran = [status for status in statuses if status != empty] or [empty]
    return next((status for status in ran if status), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
