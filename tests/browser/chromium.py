"""Where the browser comes from, and how it is started: offline, with a profile of its own."""

from __future__ import annotations

import shutil

from tests import debian

PACKAGES = ("chromium", "fonts-dejavu-core")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
MISSING = "chromium is not installed: `make browser` (Debian's package, as root)"


def program() -> str | None:
    """Return chromium's path."""
    return shutil.which("chromium")


def install() -> None:
    """Install Debian's package, unless chromium is there already. Raises debian.MissingError."""
    if not program():
        debian.install(PACKAGES)
