from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests.bench import bodies
from tests.conftest import CI
from tests.serving import ROOT


def test_bodies_are_what_the_api_server_writes() -> None:
    assert 10_000 < len(bodies.daemonset()) < 20_000
    assert len(bodies.deployment()) < 3_000
    assert b'": ' not in bodies.deployment()


def test_a_short_run_measures_both_sides_without_an_error() -> None:
    if shutil.which("go") is None and not CI:
        pytest.skip("Go is missing: it builds the load generator")
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.bench", "--runs", "1", "--seconds", "0.3", "--writes", "3",
            "-o", "json",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    figures = json.loads(done.stdout)
    assert 0 < figures["eni_config"] < 100
    for case in figures["rates"].values():
        assert set(case) == {"guard", "nothing", "floor", "bare", "go"}
        assert all(side["sets"][0] > 0 for side in case.values())
    assert figures["added"] is None or figures["added"]["writes"] == 3
