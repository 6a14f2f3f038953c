"""Programs that tests need and Debian has: installed when they are missing, or asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping


class MissingError(Exception):
    """A program, or root, is missing; the message says how to get it."""


def require(programs: Mapping[str, str]) -> None:
    """Have every program (its name to its package's) on PATH. Raises MissingError."""
    missing = sorted({name for program, name in programs.items() if shutil.which(program) is None})
    if not missing:
        return
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(f"missing: {', '.join(missing)}; on Debian: sudo {' '.join(install)}")
    sys.stderr.write(f"installing {', '.join(missing)}\n")
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
            raise MissingError(f"{' '.join(command)} ended with {done.returncode}\n{tail}")


def require_root(purpose: str) -> None:
    """Raise MissingError unless this is root."""
    if os.geteuid() != 0:
        raise MissingError(f"{purpose} needs root: run it with sudo")
