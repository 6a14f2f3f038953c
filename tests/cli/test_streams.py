"""Standard streams that are full, gone or closed: a line and a status, never a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

GUARD = f"{sys.executable} -m webhook"
CERTS = f"{sys.executable} -m certs"
AUDIT = "audit --network bgp examples/calico-bgp.yaml"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        f"{GUARD} {AUDIT}", f"{GUARD} {AUDIT} --format html", f"{GUARD} --help", f"{GUARD} schema", f"{GUARD} audit --help",
        f"{GUARD} patch --network bgp examples/calico-bgp.yaml", f"{CERTS} --help",
    ],
)  # fmt: skip
def test_an_output_that_is_full_is_a_line(command: str) -> None:
    done = shell(f"{command} >/dev/full")

    assert done.returncode in (2, 3)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("Error: ")


def test_nobody_who_reads_is_no_error() -> None:
    done = shell(f"set -o pipefail; {GUARD} schema | head -c 1 >/dev/null")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_a_closed_stream_changes_no_status(closed: str) -> None:
    done = shell(f"{GUARD} {AUDIT} {closed}")

    assert (done.returncode, done.stderr) == (1, "")


def test_a_closed_input_is_an_empty_one() -> None:
    expected = shell(f"{GUARD} audit --network bgp - </dev/null")

    done = shell(f"{GUARD} audit --network bgp - <&-")

    assert (done.returncode, done.stdout, done.stderr) == (
        expected.returncode, expected.stdout, expected.stderr,
    )  # fmt: skip
