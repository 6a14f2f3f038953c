"""The promises about an audit's cost, as ratios and in memory, at a size that a test can bear."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import audits


@pytest.mark.serial
def test_an_audit_of_files_takes_few_bare_parses(tmp_path: Path) -> None:
    for name, took, most in audits.files(tmp_path, 2, 2_000):
        assert took <= most, f"{name} {took:.2f}"


def test_an_audit_of_a_long_input_stays_small(tmp_path: Path) -> None:
    for name, took, most in audits.memory(tmp_path, 2_500):
        assert took <= most / 2, f"{name} {took:.2f}"
