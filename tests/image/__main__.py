"""`python -m tests.image`: build the image if need be; print where its files are, rootfs last."""

from __future__ import annotations

import sys

from tests.cluster.controlplane.build import say
from tests.image import build
from tests.image.commands import ImageError


def main() -> int:
    """Return 0 when the image is there, else 1."""
    try:
        image = build.image()
    except ImageError as error:
        say(f"error: {error}")
        return 1
    sys.stdout.write(f"{image.archive}\n{image.rootfs}\n")
    return 0


sys.exit(main())
