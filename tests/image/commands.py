"""Running the programs that build, and bringing them onto a new machine."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from tests import debian
from tests.cluster.controlplane.build import say

TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "gpg": "gpg"}
"""Debian's packages, by the program that tells whether each is there."""
EPOCH = "0"
"""SOURCE_DATE_EPOCH of all that is built: equal inputs give equal bytes."""


class ImageError(Exception):
    """The image could not be built; the message says what to do about it."""


def run(command: Sequence[str], label: str) -> str:
    """Run a program to its end and return its output; a failure shows the end of what it said."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise ImageError(f"{label}: {command[0]} ended with {done.returncode}\n{tail}")
    say(f"image: {label}: {time.monotonic() - started:.0f} s")
    return done.stdout


def require_tools() -> None:
    """Raise ImageError where a tool is missing, with what to do about it."""
    if os.geteuid() != 0:
        raise ImageError("building and running the image needs root: chroot, mounts, namespaces")
    missing = debian.missing(TOOLS)
    if missing:
        raise ImageError(f"missing: {', '.join(missing)}; as root on Debian run `make image`")
