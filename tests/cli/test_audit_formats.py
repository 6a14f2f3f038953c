"""`audit --format`, as a user and a terminal run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from webhook.audit.formats import FORMATS

WRONG = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: []}}}\n"
AUDIT = (sys.executable, "-m", "webhook", "audit", "--network", "bgp")


def on_a_terminal(file: Path, **environment: str) -> str:
    """What the table looks like on a terminal of 50 columns."""
    ours, theirs = os.openpty()
    env = {**os.environ, "COLUMNS": "50", "TERM": "xterm", **environment}
    with subprocess.Popen((*AUDIT, file), cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                          stdout=theirs, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        os.close(theirs)
        seen = bytearray()
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # how Linux tells that the other end is closed
            pass
        process.wait()
    os.close(ours)
    return seen.decode().replace("\r\n", "\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "cni.yaml"
    file.write_text(WRONG)
    return file


def test_colours_are_for_terminals_alone(file: Path) -> None:
    piped = subprocess.run((*AUDIT, file), cwd=ROOT, capture_output=True, text=True, check=False)

    assert "\x1b" not in piped.stdout
    assert "\x1b[31merror" in on_a_terminal(file)
    assert "\x1b" not in on_a_terminal(file, NO_COLOR="1")


def test_lines_fit_a_terminal(file: Path) -> None:
    lines = on_a_terminal(file, NO_COLOR="1").splitlines()[:-1]

    assert [line for line in lines if len(line) > 50 and str(file) not in line] == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("language", ["C.UTF-8", "C"])
def test_a_file_name_that_is_no_text_spoils_no_format(
    tmp_path: Path, form: str, language: str
) -> None:
    (tmp_path / os.fsdecode(b"\xff\x1b[2J.yaml")).write_text(WRONG)

    done = subprocess.run((*AUDIT, "--format", form, tmp_path), cwd=ROOT, capture_output=True,
                          env={**os.environ, "LC_ALL": language}, check=False)  # fmt: skip

    assert (done.returncode, done.stderr) == (1, b"")
    assert "HG101" in done.stdout.decode("utf-8")
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("api", "wanted"),
    [
        ("wgpolicyk8s", "apiVersion: wgpolicyk8s.io/v1alpha2"),
        ("openreports", "apiVersion: openreports.io/v1alpha1"),
    ],
)
def test_the_api_of_policy_reports_is_chosen(file: Path, api: str, wanted: str) -> None:
    done = subprocess.run((*AUDIT, "--format", "policyreport", "--report-api", api, file), cwd=ROOT,
                          capture_output=True, text=True, check=False)  # fmt: skip

    assert wanted in done.stdout.splitlines()
