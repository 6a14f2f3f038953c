"""`python -m tests.image`: build the image if need be; print where its files are, rootfs last."""

from __future__ import annotations

import os
import signal
import sys

from tests import debian
from tests.cluster.controlplane.build import interrupted, say
from tests.image import build, commands


def main() -> int:
    """Return 0 when the image is there, else 1."""
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    try:
        if os.geteuid() == 0:
            debian.require(commands.TOOLS)
        image = build.image()
    except (commands.ImageError, debian.MissingError) as error:
        say(f"error: {error}")
        return 1
    packed, unpacked = (size / 1e6 for size in image.size)
    say(f"image: {packed:.0f} MB to pull, {unpacked:.0f} MB unpacked")
    sys.stdout.write(f"{image.archive}\n{image.sbom}\n{image.rootfs}\n")
    return 0


sys.exit(main())
