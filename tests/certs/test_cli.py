"""hybrid-certs as a user runs it, over a directory."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from certs.inject import NoHooks
from certs.renewal import Step
from certs.rotate import Rotator
from certs.store import KEYS, DirectoryStore
from tests.cluster.controlplane.processes import until
from tests.conftest import ROOT, SEED


def run(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "certs", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **environ},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("verb", ["ensure", "run", "check"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = run(verb, "--help")

    assert done.returncode == 0
    assert f"hybrid-certs {verb}" in done.stdout


def test_ensure_makes_them_and_check_tells(tmp_path: Path) -> None:
    where = ("--directory", tmp_path / "tls", "--host", "guard.example.com")

    due = run("check", *where)
    made = run("ensure", *where)
    again = run("ensure", *where)
    fresh = run("check", *where, "--json")

    assert (due.returncode, made.returncode, again.returncode, fresh.returncode) == (1, 0, 0, 0)
    assert "make a CA" in due.stdout
    assert [json.loads(line)["step"] for line in made.stderr.splitlines()] == [
        "make a CA",
        "issue the leaf",
    ]
    assert again.stderr == ""
    report = json.loads(fresh.stdout)
    assert report["fresh"] is True
    assert report["leafEnds"] < report["caEnds"]
    assert len(report["trusted"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("ensure",), 2, "either --namespace NS or --directory D"),
        (("ensure", "--directory", "x", "--namespace", "y"), 2, "either"),
        (("ensure", "--directory", "x"), 2, "--host"),
        (("run", "--directory", "x", "--host", "a", "--lease", "b"), 2, "--lease needs --namespace"),
        (("check", "--namespace", "kube-system", "--kubeconfig", "/nowhere"), 3, "no usable kubeconfig"),
        (("ensure", "--directory", "/proc/none", "--host", "a"), 3, "/proc/none"),
    ],
)  # fmt: skip
def test_errors_are_a_line_with_their_own_status(
    arguments: tuple[str, ...], code: int, why: str
) -> None:
    done = run(*arguments)

    assert done.returncode == code
    assert why in done.stderr
    assert done.stdout == ""


def test_run_goes_on_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "certs",
        "run",
        "--directory",
        str(tmp_path),
        "--host",
        "a",
        "--interval",
        "0.1",
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        steps = [json.loads(child.stderr.readline())["step"] for _ in range(2)]
        leaf = tmp_path / "current" / "tls.crt"
        until(leaf.exists, "the leaf, which is told of before it is written", 30, str)
        leaf.write_text("broken")
        steps.append(json.loads(child.stderr.readline())["step"])
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert steps == ["make a CA", "issue the leaf", "issue the leaf"]


def test_killed_at_any_moment_it_is_carried_on_and_never_half_written(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311  # moments, not secrets
    where = ["--directory", str(tmp_path / "tls"), "--host", "guard.example.com"]
    current = tmp_path / "tls" / "current"
    for _ in range(15):
        if rng.random() < 0.5 and current.exists():
            (current / rng.choice(("tls.crt", "tls.key", "ca.key"))).write_text("broken")
        with subprocess.Popen([sys.executable, "-m", "certs", "run", *where, "--interval", "0.01"],
                              cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:  # fmt: skip
            assert child.stderr is not None
            for _ in range(rng.randint(0, 1) if current.exists() else rng.randint(0, 3)):
                if not select.select([child.stderr], [], [], 1.0)[0]:
                    break
                child.stderr.readline()
            child.kill()
            child.communicate(timeout=30)
        for folder in (tmp_path / "tls").glob("generation-*"):
            assert {file.name for file in folder.iterdir()} <= {*KEYS}
    rotator = Rotator(
        store=DirectoryStore(tmp_path / "tls"), hooks=NoHooks(), hosts=("guard.example.com",)
    )
    minutes = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=n) for n in range(10))
    ends = [list(rotator.steps(lambda moment=moment: moment))[-1].step for moment in minutes]  # type: ignore[misc]
    assert ends[-1] is Step.NOTHING
    assert run("check", *where).returncode == 0
