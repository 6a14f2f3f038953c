"""The servers that are measured side by side, each in processes of its own on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import OK
from pathlib import Path
from typing import Self

from tests.server.test_server import until
from tests.serving import ROOT, Server

HERE = Path(__file__).resolve().parent
DOES_NOTHING = (
    "from gunicorn.app.base import BaseApplication\n"
    "given = BaseApplication.run\n"
    "def run(self):\n"
    "    from tests.bench import bare\n"
    "    from webhook.server import hooks\n"
    "    hooks.decide = lambda *_, **__: bare.ANSWER\n"
    "    given(self)\n"
    "BaseApplication.run = run\n"
)
"""What makes the product's own server answer the constant: all that it is but for the decision."""


def build(name: str, folder: Path) -> Path:
    """Build one of the Go programs beside this file."""
    go = shutil.which("go")
    if go is None:
        sys.exit("bench: Go is missing; it builds the load generator (https://go.dev/doc/install)")
    program = folder / name
    subprocess.run([go, "build", "-o", program, "."], cwd=HERE / name, check=True)
    return program


@contextmanager
def started(*command: str | Path) -> Iterator[str]:
    """Run a server that prints its port first, and yield its URL."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"https://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


class Quiet(Server):
    """A server whose log nobody reads: what reads it would take of the same cores."""

    def __init__(self, *arguments: str, before: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        super().__init__("--port", str(self.port), *arguments, before=before)

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command(self._arguments), cwd=ROOT, stdout=subprocess.DEVNULL, text=True
        )
        self.host = "127.0.0.1"
        until(self._answers)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its files."""
        self.stop()
        self._scratch.cleanup()

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/readyz").status == OK
        except OSError:
            return False


@contextmanager
def all_sides(scratch: Path) -> Iterator[dict[str, str]]:
    """Start every side; yield their URLs by name."""
    with ExitStack() as stack:
        guard = stack.enter_context(Quiet("--network", "bgp"))
        nothing = stack.enter_context(Quiet("--network", "bgp", before=DOES_NOTHING))
        pair = (str(guard.certificate), str(guard.key))
        python = (sys.executable, "-m")
        yield {
            "guard": guard.url,
            "nothing": nothing.url,
            "floor": stack.enter_context(started(*python, "tests.bench.floor", *pair)),
            "bare": stack.enter_context(started(*python, "tests.bench.bare", *pair)),
            "go": stack.enter_context(started(build("constant", scratch), *pair)),
        }
