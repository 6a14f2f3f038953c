"""Building: the digest of the inputs, the same image twice, and what is said when it cannot be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CI, ROOT, THOROUGH
from tests.image import build, commands
from tests.image.build import Image


def test_what_is_made_is_told_with_its_size(image: Image) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.image"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [str(image.archive), str(image.sbom), str(image.rootfs)]
    assert re.search(r"image: \d+ MB to pull, 1\d\d MB unpacked$", done.stderr.strip())


def test_the_inputs_are_the_recipe_and_what_the_wheel_is_made_of() -> None:
    names = {str(file.relative_to(ROOT)) for file in build.inputs()}

    assert {
        "Dockerfile",
        ".dockerignore",
        "pyproject.toml",
        "requirements/run.txt",
        "certs/rotate.py",
    } <= names
    assert {"webhook/cli/__init__.py", "tests/image/base.sh", "tests/image/bases.py"} <= names
    assert not {"Makefile", "CHANGELOG.md", "tests/image/test_build.py"} & names
    assert not [name for name in names if "__pycache__" in name]


def test_a_folder_is_made_once_and_never_half(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise commands.ImageError("no")

    def works(folder: Path) -> None:
        (folder / "whole").touch()

    with pytest.raises(commands.ImageError):
        build.made(tmp_path / "x", fails)
    assert not (tmp_path / "x").exists()
    assert [file.name for file in build.made(tmp_path / "x", works).iterdir()] == ["whole"]
    assert build.made(tmp_path / "x", fails) == tmp_path / "x"


def test_who_is_not_root_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, runpy; os.geteuid = lambda: 1; runpy.run_module('tests.image')"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path), "PATH": "/nowhere"},
    )  # fmt: skip

    assert done.returncode == 1
    assert (
        done.stderr
        == "error: building and running the image needs root: chroot, mounts, namespaces\n"
    )


def test_a_missing_tool_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("os.geteuid", lambda: 0)

    with pytest.raises(
        commands.ImageError, match=r"missing: buildah, mmdebstrap, gpg; .*`make image`"
    ):
        commands.require_tools()


def test_a_step_that_fails_shows_what_it_said() -> None:
    with pytest.raises(commands.ImageError, match="trying: sh ended with 3\nhello"):
        commands.run(["sh", "-c", "echo hello; exit 3"], "trying")


@pytest.mark.skipif(not (CI or THOROUGH), reason="a second build takes half a minute: THOROUGH=1")
def test_the_same_sources_give_the_same_image(image: Image, tmp_path: Path) -> None:
    assert build.built(tmp_path).inspect()["FromImageID"] == image.id
