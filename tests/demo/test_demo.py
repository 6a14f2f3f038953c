from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from examples import demo
from tests.conftest import ROOT


def test_the_demo_plays_through_and_every_verdict_is_right() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 of 15 verdicts were right." in done.stdout
    assert "WRONG" not in done.stdout


def test_a_wrong_verdict_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = demo.cases_overlay()
    monkeypatch.setattr(demo, "cases_bgp", list)
    monkeypatch.setattr(
        demo, "cases_overlay", lambda: [replace(cases[0], verdict="patched"), *cases[1:]]
    )

    assert demo.main([]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_anyones_own_files_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    files = ("calico-bgp.yaml", "flannel-vxlan.yaml", "eni-config.yaml")

    assert demo.main([str(ROOT / "examples" / name) for name in files]) == 0

    told = capsys.readouterr().out
    assert told.startswith("\nNetwork bgp, the catalogue alone\n")
    assert "patched  DaemonSet/kube-system/calico-node" in told
    assert told.endswith("\n2 allowed, 2 patched, 1 denied, 5 in all.\n")
    assert demo.main([str(tmp_path / "nowhere.yaml")]) == 3
