"""What all tests share: the seed, the reference material, what is built before and told after."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster import foreign
from tests.cluster.controlplane import build

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CI = os.environ.get("CI") == "true"
THOROUGH = os.environ.get("THOROUGH") == "1"
SEED = int(os.environ.get("SEED") or int.from_bytes(os.urandom(4), "big"))
os.environ["SEED"] = str(SEED)  # the workers that this process starts draw the same
FIGURE = "figure"
FIGURES: list[str] = []

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


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare the run of one process."""
    is_worker = hasattr(session.config, "workerinput")
    if not (is_worker or session.config.option.collectonly):
        _prepare(session.config, [item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """Prepare the run of several workers: they wait for the process that calls this."""
    _prepare(node.config, ids)


def _prepare(config: pytest.Config, chosen: Sequence[str]) -> None:
    """In CI, build what cluster tests need of Go: no test's time limit counts that."""
    if CI and any(name.startswith("tests/cluster/") for name in chosen):
        with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            build.build()
            foreign.built()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take over what a test measured, from whichever process it ran in."""
    if report.when == "teardown":
        FIGURES.extend(
            f"{report.nodeid.rpartition('::')[2]}: {value}"
            for name, value in report.user_properties
            if name == FIGURE
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured."""
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.line(line)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a figure that the run prints at its end."""
    return lambda text: request.node.user_properties.append((FIGURE, text))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the reference material."""
    return shared_path()


@pytest.fixture
def seed() -> int:
    """The seed of this run, for generators of our own."""
    return SEED
