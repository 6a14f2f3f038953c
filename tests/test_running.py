"""`python -m tests`: side by side and waiting, then alone; one seed, every figure, and no failure is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import of_all
from tests.conftest import ROOT

TESTS = """
import os
from pathlib import Path
import pytest
from tests.conftest import SEED

def tell(name):
    with (Path(__file__).parent / "ran").open("a") as file:
        file.write(f"{name} {os.environ.get('PYTEST_XDIST_WORKER')} {SEED}\\n")

def test_beside(figure):
    tell("beside")
    figure("17 writes beside")
    assert os.environ["SEED"] == "fails here, and the run goes on"

@pytest.mark.serial
def test_alone(figure):
    tell("alone")
    figure("23 writes alone")

@pytest.mark.waiting
def test_waits():
    tell("waits")
"""


def test_what_is_serial_runs_behind_the_rest_in_no_worker_and_a_failure_before_it_counts(
    tmp_path: Path,
) -> None:
    file = tmp_path / "test_two.py"
    file.write_text(TESTS)
    plugins = ["-p", "tests.conftest", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    done = subprocess.run(
        [sys.executable, "-m", "tests", "-c", ROOT / "pyproject.toml", *plugins, file],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"},
    )  # fmt: skip
    told = done.stdout + done.stderr
    *both, alone = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    (beside, worker, seed), waits = sorted(both)

    assert done.returncode == 1, told
    assert "1 failed" in told
    assert (beside, alone) == ("beside", ["alone", "None", seed])
    assert worker.startswith("gw")
    assert (waits[0], waits[1][:2], waits[2]) == ("waits", "gw", seed)
    assert re.findall(r"^SEED=(\d+)", told, re.MULTILINE) == [seed] * 3
    assert "test_beside: 17 writes beside" in told
    assert "test_alone: 23 writes alone" in told
    assert told.count("slowest 10 durations") == 3


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((5, 0), 0), ((0, 5), 0), ((5, 5), 5), ((5, 1), 1), ((2,), 2)],
)  # fmt: skip
def test_one_exit_status_tells_of_all_runs(statuses: tuple[int, ...], expected: int) -> None:
    assert of_all(statuses) == expected
