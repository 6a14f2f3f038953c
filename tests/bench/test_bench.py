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
        [sys.executable, "-m", "tests.bench", "--runs", "1", "--seconds", "0.3", "-o", "json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    results = json.loads(done.stdout)
    assert 0 < results.pop("eni-config in process")["ms"] < 100
    for result in results.values():
        assert result["guard"]["requests"] > 0
        assert result["floor"]["requests"] > 0
        assert result["guard"]["errors"] == 0
