"""hybrid-certs as a user runs it, over a directory."""

from __future__ import annotations

import contextlib
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
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from certs import names
from certs.cli import cli
from certs.inject import NoHooks
from certs.renewal import Step
from certs.rotate import Rotator
from certs.store import KEYS, DirectoryStore
from tests import kubeconfigs
from tests.certs import odd
from tests.certs.scene import Clock, Hooks, Memory
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
    assert "Exit status: 0 " in done.stdout


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


@pytest.mark.parametrize("text", [*kubeconfigs.ODD.values()][1::2], ids=[*kubeconfigs.ODD][1::2])
def test_an_odd_kubeconfig_is_one_line_that_quotes_nothing_of_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)

    done = run("check", "--namespace", "kube-system", "--kubeconfig", str(file))

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert kubeconfigs.SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("text", kubeconfigs.NONE.values(), ids=kubeconfigs.NONE)
def test_what_is_no_kubeconfig_is_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)

    done = run("check", "--namespace", "kube-system", "--kubeconfig", str(file))

    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "no usable kubeconfig: " in line


LONG = "a" * 63


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (("--directory", "x", "--host", "bad_name"), "--host 'bad_name'"),
        (("--directory", "x", "--host", "a.example", "--host", ""), "--host ''"),
        (("--directory", "x", "--host", "bücher.example"), "--host 'bücher.example'"),
        (("--directory", "x", "--host", "*.example.com"), "--host '*.example.com'"),
        (("--directory", "x", "--host", "https://a"), "--host 'https://a'"),
        (("--directory", "x", "--host", "a:443"), "--host 'a:443'"),
        (("--directory", "x", "--host", "fe80::1%eth0"), "--host 'fe80::1%eth0'"),
        (("--directory", "x", "--host", "192.0.2"), "--host '192.0.2'"),
        (("--directory", "x", "--host", "a\nb"), r"--host 'a\nb'"),
        (("--directory", "x", "--host", "\udcff"), r"--host '\udcff'"),
        (("--namespace", "x", "--cluster-domain", "cluster.local."), "--cluster-domain 'cluster.local.'"),
        (("--namespace", "x", "--cluster-domain", ""), "--cluster-domain ''"),
        (("--namespace", "x", "--cluster-domain", f"{LONG}a"), "--cluster-domain 'aaa"),
        (("--namespace", LONG, "--service", LONG, "--cluster-domain", f"{LONG}.{LONG}"), "--cluster-domain behind aaa"),
        (("--namespace", "Kube-System"), "--namespace 'Kube-System'"),
        (("--namespace", "../x"), "--namespace '../x'"),
        (("--namespace", "x", "--service", "a.b"), "--service 'a.b'"),
        (("--namespace", "x", "--secret", "a/b"), "--secret 'a/b'"),
        (("--namespace", "x", "--configuration", "a b"), "--configuration 'a b'"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_can_use_is_one_line_that_names_its_option(
    arguments: tuple[str, ...], flag: str
) -> None:
    for verb in ("ensure", "run", "check"):
        done = invoke(verb, *arguments)
        assert done.exit_code == 2
        (line,) = done.output.splitlines()
        assert line.startswith(f"Error: {flag}")
        assert ": write " in line or ", write" in line, "and the fix"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e9"])
def test_an_interval_that_nobody_can_wait_is_one_line(seconds: str) -> None:
    done = invoke("run", "--directory", "x", "--host", "a", "--interval", seconds)

    assert done.exit_code == 2
    assert done.output.startswith("Error: --interval ")


def invoke(*arguments: str) -> Result:
    """Run it in this process, up to where it would look."""
    return CliRunner().invoke(cli, list(arguments))


@given(st.one_of(st.text(max_size=70), st.from_regex(r"[-A-Za-z0-9_.*:%]{1,70}", fullmatch=True), st.ip_addresses().map(str)))  # fmt: skip
def test_a_leaf_can_be_verified_for_every_name_that_is_taken(host: str) -> None:
    with contextlib.suppress(names.UnusableNameError):
        names.host(host)
        store, hooks, clock = Memory(), Hooks(), Clock()
        one = Rotator(store=store, hooks=hooks, hosts=(host,))
        assert [plan.step for plan in one.steps(clock)][-1] is Step.NOTHING


def test_a_fault_of_ours_is_told_and_does_not_end_the_rotation(tmp_path: Path) -> None:
    broken = (
        "from certs import cli, rotate\n"
        "def look(*_):\n"
        "    raise KeyError('of ours')\n"
        "rotate.Rotator.look = look\n"
        "cli.main()\n"
    )
    where = ["run", "--directory", str(tmp_path), "--host", "a", "--interval", "0.05"]
    with subprocess.Popen([sys.executable, "-c", broken, *where], cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:  # fmt: skip
        assert child.stderr is not None
        lines = [json.loads(child.stderr.readline()) for _ in range(3)]
        child.terminate()
        assert child.wait(30) == 0
    assert {(line["event"], line["message"]) for line in lines} == {("error", "a fault of hybrid-certs: KeyError")}  # fmt: skip


def test_it_stops_at_whatever_moment_it_is_told_to() -> None:
    told_at_random = (
        "import random, signal\n"
        "from certs import cli, rotate\n"
        f"chance = random.Random({SEED})\n"
        "def steps(*_):\n"
        "    global told\n"
        "    if not told:\n"
        "        told = True\n"
        "        signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))\n"
        "        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 1e-3))\n"
        "    return ()\n"
        "rotate.Rotator.steps = steps\n"
        "for _ in range(1000):\n"
        "    told = False\n"
        "    cli.cli(['run', '--directory', 'd', '--host', 'a', '--interval', '1e-6'], standalone_mode=False)\n"
    )

    done = subprocess.run([sys.executable, "-c", told_at_random], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_check_says_what_is_wrong_and_what_run_would_do(tmp_path: Path) -> None:
    where = ("--directory", tmp_path / "tls", "--host", "guard.example.com")
    run("ensure", *where)
    (tmp_path / "tls" / "current" / "tls.key").write_bytes(odd.pairs()["secp112r1"][1])

    done, shown = run("check", *where), run("check", *where, "--json")

    why = "tls.key cannot be read as a key in PEM without a passphrase (UnsupportedAlgorithm)"
    assert (done.returncode, shown.returncode) == (1, 1)
    assert done.stdout.splitlines()[:2] == [why, f"`hybrid-certs run` would issue the leaf: {why}"]
    assert json.loads(shown.stdout)["wrong"] == [why]
    assert run("ensure", *where).returncode == 0
    assert run("check", *where).stdout.startswith("nothing to do: all is fresh\n")


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
