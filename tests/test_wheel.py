"""The wheel holds what the sources do: its report is made from files that are no modules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT

SOURCES = ("webhook", "certs", "pyproject.toml", "README.md", "LICENSE")
OBJECT = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: []}}}\n"


def test_the_report_is_made_from_the_wheel_alone(tmp_path: Path) -> None:
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "-w", tmp_path, source],
        check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(installed)

    done = subprocess.run(
        [sys.executable, "-m", "webhook", "audit", "--network", "bgp", "--format", "html"],
        cwd=tmp_path, input=OBJECT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    assert "1 error to mend" in done.stdout
    assert (installed / "webhook" / "audit" / "formats" / "page.css").read_text() in done.stdout
