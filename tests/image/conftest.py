"""The image that the tests below share."""

from __future__ import annotations

import pytest

from tests.conftest import unavailable
from tests.image import build
from tests.image.build import Image
from tests.image.commands import ImageError


@pytest.fixture(scope="session")
def image() -> Image:
    """The image of the present sources, built if need be; a skip says what is missing."""
    try:
        return build.image()
    except ImageError as error:
        unavailable(error)
