"""`python -m tests [PYTEST'S ARGUMENTS]`: side by side what may be, then alone what must be.

Tests marked `serial` measure time or load the machine. Those marked `waiting` put a light load on
it for minutes: two of their files run beside the rest, and are told of behind it. Each run gets
the arguments and one seed; the exit status is the first that tells of a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable
from subprocess import Popen
from typing import IO

import pytest

from tests.conftest import ROOT

MOST_WORKERS = 4
"""Each worker has control planes of its own, of about a gigabyte."""
WORKERS = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
# Whole files, in their order: fixtures of a module start once, and no long file comes last.
_FILES = ("--dist=loadfile", "--no-loadscope-reorder")
RUNS = {
    "side by side": ("-m", "not serial and not waiting", f"-n{WORKERS}", *_FILES),
    "waiting": ("-m", "waiting", "-n2", *_FILES),
    "alone": ("-m", "serial"),
}
_WITHOUT_A_CLUSTER = "--ignore=tests/cluster"
"""What waits is all of the cluster: then it is not even collected."""


def main(arguments: list[str]) -> int:
    """Run pytest in each of its ways and return one exit status for all."""
    signal.signal(signal.SIGINT, lambda *_: None)  # pytest takes it, and cleans up
    statuses = {}
    with tempfile.TemporaryFile() as told:
        if _WITHOUT_A_CLUSTER not in arguments:
            waiting = _started("waiting", arguments, told)
        statuses["side by side"] = _started("side by side", arguments).wait()
        if _WITHOUT_A_CLUSTER not in arguments:
            statuses["waiting"] = waiting.wait()
            told.seek(0)
            shutil.copyfileobj(told, sys.stdout.buffer)
    if pytest.ExitCode.INTERRUPTED not in statuses.values():
        statuses["alone"] = _started("alone", arguments).wait()
    for name, status in statuses.items():
        sys.stdout.write(f"tests {name}: exit status {status}\n")
    return of_all(statuses.values())


def _started(name: str, arguments: list[str], told: IO[bytes] | None = None) -> Popen[bytes]:
    """Start one of RUNS; what it prints goes to `told`."""
    # Modules compiled once: a thousand processes that each do it again take a fifth of the time.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest", "--durations=10", *RUNS[name], *arguments]
    sys.stdout.flush()
    return Popen(command, cwd=ROOT, env=kept, stdout=told)


def of_all(statuses: Iterable[int]) -> int:
    """Return the first status of a failure; a run without tests is one only if none had any."""
    empty = int(pytest.ExitCode.NO_TESTS_COLLECTED)
    ran = [status for status in statuses if status != empty] or [empty]
    return next((status for status in ran if status), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
