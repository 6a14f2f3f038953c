"""Building the control plane's programs: with the real Go, on one that builds in a second."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.controlplane import build, programs
from tests.cluster.controlplane.programs import Program, ProgramMissingError
from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Program, ...]:
    """A program of one line, in a module folder and a cache of its own."""
    try:
        go = build.find_go()
    except build.BuildError as error:
        unavailable(error)
    # Go's own cache follows XDG_CACHE_HOME too: keep it, or each test compiles the runtime.
    told = subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True)
    monkeypatch.setenv("GOCACHE", told.stdout.strip())
    modules = tmp_path / "modules"
    (modules / "kubernetes").mkdir(parents=True)
    (modules / "kubernetes" / "go.mod").write_text("module k\n\nrequire k8s.io/kubernetes v1.2.3\n")
    (modules / "small").mkdir()
    (modules / "small" / "go.mod").write_text("module small\n\ngo 1.26\n")
    (modules / "small" / "main.go").write_text('package main\n\nfunc main() { println("small") }\n')
    monkeypatch.setattr(programs, "MODULES", modules)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return (Program(name="small", module="small", package="small"),)


def test_a_second_build_builds_nothing(
    small: tuple[Program, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = build.build(small)
    assert "[1/1] small: built in" in capsys.readouterr().err
    before = (folder / "small").stat()
    assert build.build(small) == folder
    assert capsys.readouterr().err == ""
    assert (folder / "small").stat() == before


def test_two_builds_at_once_build_once(
    small: tuple[Program, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        builds = [pool.submit(build.build, small) for _ in range(2)]
    assert {running.result() for running in builds} == {programs.cache_folder()}
    assert capsys.readouterr().err.count("built in") == 1


def test_a_half_written_program_is_cleared_away_and_not_taken(small: tuple[Program, ...]) -> None:
    folder = programs.cache_folder()
    folder.mkdir(parents=True)
    leftover = folder / ".small.4242.partial"
    leftover.write_bytes(b"\x7fELF")
    leftover.chmod(0o755)
    assert programs.find("small") is None
    assert build.build(small) == folder
    assert not leftover.exists()
    said = subprocess.run([folder / "small"], capture_output=True, text=True, check=True)
    assert said.stderr == "small\n"


@pytest.mark.usefixtures("small")
def test_a_changed_go_mod_is_another_folder() -> None:
    before = programs.cache_folder()
    go_mod = programs.MODULES / "small" / "go.mod"
    go_mod.write_text(go_mod.read_text() + "\n// changed\n")
    assert programs.cache_folder() != before
    assert before.name.startswith("v1.2.3-")


def test_a_program_that_does_not_compile_is_told_with_what_go_says(
    small: tuple[Program, ...],
) -> None:
    (programs.MODULES / "small" / "main.go").write_text("package main\n\nfunc main() { nonsense }")
    with pytest.raises(build.BuildError, match="undefined: nonsense"):
        build.build(small)
    assert [path.name for path in programs.cache_folder().iterdir()] == [".lock"]


def test_kubebuilder_assets_are_used_for_what_they_hold(
    small: tuple[Program, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build.build(small)
    assets = tmp_path / "assets"
    assets.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    assert build.build(small) == built
    shutil.copy(built / "small", assets / "small")
    assert programs.find("small") == assets / "small"
    folder = build.build(small)
    assert folder != built
    assert (folder / "small").resolve() == assets / "small"


@pytest.mark.usefixtures("small")
def test_what_is_missing_is_named_with_the_command_that_gets_it() -> None:
    with pytest.raises(ProgramMissingError, match=r"missing: etcd, kwok; run `make tools`"):
        programs.require("etcd", "kwok")


@pytest.mark.usefixtures("small")
def test_an_interrupted_build_leaves_no_program_and_no_process(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "other")}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.controlplane"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as building:
        assert building.stderr is not None
        assert building.stdout is not None
        assert building.stderr.readline() == "[1/7] etcd: building\n"
        building.terminate()
        building.wait(30)
        assert building.returncode == 128 + 15
        assert building.stdout.read() == ""
    left = [path.name for path in (tmp_path / "other").rglob("*") if path.is_file()]
    assert left == [".lock"]
    # Whatever the build started has its cache in the environment; killed ones may take a moment.
    deadline = time.monotonic() + 30
    while any(str(tmp_path / "other") in text for text in environments()):
        assert time.monotonic() < deadline, "go outlived the build"


def environments() -> Iterator[str]:
    """Return the environment of each process that we may look at."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            yield path.read_text("utf-8", "replace")
