"""What the image is and is not, and that it runs as its user on a read-only root."""

from __future__ import annotations

import pytest

from tests.conftest import CI
from tests.image import build
from tests.image.build import Image
from tests.image.commands import ImageError


@pytest.fixture(scope="session")
def image() -> Image:
    """The image of the present sources, built if need be."""
    try:
        return build.image()
    except ImageError as error:
        if CI:
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_it_runs_as_a_numeric_user(image: Image) -> None:
    assert image.user == "65532:65532"
    assert image.entrypoint == ["hybrid-guard"]
    assert image.env["PYTHONDONTWRITEBYTECODE"] == "1"
