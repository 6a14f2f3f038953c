"""The control planes that the tests below share, and where their programs come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests import debian
from tests.cluster.controlplane import nodes, programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.programs import ProgramMissingError
from tests.cluster.installation import network
from tests.conftest import unavailable
from tests.image.build import Image, image
from tests.image.commands import ImageError

HERE = Path(__file__).resolve().parent
T = TypeVar("T")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, before `-m` picks."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)


def require_programs() -> None:
    """Skip, and say how to get them, where the control plane's programs are missing."""
    _skip_without(_programs)


def require_installation() -> Image:
    """Return the image; skip, and say why, where no pod can be run from it."""
    require_programs()
    _skip_without(network.require)
    return _skip_without(image)


def _programs() -> None:
    programs.require(*(program.name for program in programs.PROGRAMS))
    programs.kubectl()


def _skip_without(need: Callable[[], T]) -> T:
    try:
        return need()
    except (ProgramMissingError, debian.MissingError, ImageError) as error:
        unavailable(error)


@pytest.fixture(scope="session")
def control_plane_programs() -> None:
    """Let a test start control planes of its own."""
    require_programs()


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """A whole control plane with the hybrid nodes, shared: tests use namespaces of their own."""
    require_programs()
    with ControlPlane(audit_level="Metadata") as started:
        started.add_nodes(nodes.HYBRID)
        yield started


@pytest.fixture(scope="session")
def api_server() -> Iterator[ControlPlane]:
    """Only etcd and kube-apiserver: for tests that need no controller to act."""
    require_programs()
    with ControlPlane(
        controllers=False, scheduler=False, kwok=False, audit_level="Metadata"
    ) as started:
        yield started
