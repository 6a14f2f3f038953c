"""Programs that tests need and Debian has: installed when they are missing, or asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.cluster.controlplane.build import locked


class MissingError(Exception):
    """A program, or root, is missing; the message says how to get it."""


def missing(programs: Mapping[str, str]) -> list[str]:
    """Return the packages (of a program's name to its package's) whose program is not on PATH."""
    absent = (name for program, name in programs.items() if shutil.which(program) is None)
    return list(dict.fromkeys(absent))


def require(programs: Mapping[str, str]) -> None:
    """Have every program on PATH, installing what is missing. Raises MissingError."""
    install(missing(programs))


def install(packages: Iterable[str]) -> None:
    """Install packages. Raises MissingError where this is no Debian, or not root."""
    names = tuple(packages)
    if not names:
        return
    command = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(f"missing: {', '.join(names)}; on Debian: sudo {' '.join(command)}")
    with locked(Path(tempfile.gettempdir()) / "hybrid-guard-apt"):  # apt itself does not wait
        sys.stderr.write(f"installing {', '.join(names)}\n")
        for step in (("apt-get", "update", "-qq"), command):
            done = subprocess.run(
                step, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )  # fmt: skip
            if done.returncode != 0:
                tail = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
                raise MissingError(f"{' '.join(step)} ended with {done.returncode}\n{tail}")


def require_root(purpose: str) -> None:
    """Raise MissingError unless this is root."""
    if os.geteuid() != 0:
        raise MissingError(f"{purpose} needs root: run it with sudo")
