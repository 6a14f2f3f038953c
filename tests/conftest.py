"""What all tests share: the reference material, and how much to generate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CI = os.environ.get("CI") == "true"
THOROUGH = os.environ.get("THOROUGH") == "1"
SEED = int(os.environ.get("SEED") or int.from_bytes(os.urandom(4), "big"))

for name, examples in (("test", 200), ("thorough", 2000)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("thorough" if THOROUGH else "test")


def pytest_configure(config: pytest.Config) -> None:
    """Seed what hypothesis and our own generators draw, so that a failure can be run again."""
    if getattr(config.option, "hypothesis_seed", None) is None:
        config.option.hypothesis_seed = str(SEED)


def pytest_report_header() -> list[str]:
    """Print the seed and the size of the run."""
    size = "thorough" if THOROUGH else "a tenth of thorough"
    return [f"SEED={SEED} ({size}; run again with SEED={SEED} make test)"]


def scaled(thorough_count: int) -> int:
    """Return how many cases to generate: all in `make thorough`, a tenth in `make test`."""
    return thorough_count if THOROUGH else thorough_count // 10


def shared_path(*parts: str) -> Path:
    """Return a path below the reference material; skip where it is missing, fail in CI."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        unavailable(
            f"the reference material is not beside this checkout: ../shared/{'/'.join(parts)}"
        )
    return path


def unavailable(reason: object) -> NoReturn:
    """Skip, and say why; in CI nothing is skipped, so fail."""
    if CI:
        pytest.fail(str(reason))
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the reference material."""
    return shared_path()


@pytest.fixture
def seed() -> int:
    """The seed of this run, for generators of our own."""
    return SEED
