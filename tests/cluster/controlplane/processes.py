"""Starting and stopping the programs, so that none is ever left behind.

Each program leads a process group of its own, is killed by the kernel when the thread that
started it goes (so planes are started from a thread that stays: usually the main one), and
writes to a log file whose tail explains a failure.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PR_SET_PDEATHSIG = 1
POLL = 0.05
LIBC = ctypes.CDLL(None, use_errno=True)
"""Loaded here: between fork and exec there must be no import."""


class ControlPlaneError(Exception):
    """The control plane did not start, or did not get where it was expected in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One started program and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 15) -> str:
        """Return the end of its log, headed by its name and state."""
        state = self.process.poll()
        text = self.log.read_text("utf-8", "replace").splitlines()[-lines:]
        heading = f"--- {self.name}: {'running' if state is None else f'exit status {state}'}"
        return "\n".join([heading, *text])

    def kill(self) -> None:
        """End the whole group at once: what it holds is thrown away, so nothing waits for it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(name: str, command: Sequence[str | Path], folder: Path) -> Running:
    """Start a program in `folder`, which is its home and holds its log."""
    parent = os.getpid()

    def die_with_parent() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"HOME": str(folder), "PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - calls prctl only, loaded beforehand
        )
    return Running(name=name, process=process, log=log)


def reserve_port() -> socket.socket:
    """Return a bound socket that keeps a loopback port for a program that shares ports.

    It never listens, so it takes no connection, and nobody else can get the port in between.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def until(
    check: Callable[[], T | None], what: str, seconds: float, explain: Callable[[], str]
) -> T:
    """Poll until `check` returns something true and return it; past the deadline, explain."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"waited {seconds:.0f} s for {what}\n{explain()}")
        time.sleep(POLL)
