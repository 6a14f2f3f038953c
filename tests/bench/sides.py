"""The servers that are measured side by side, each in processes of its own on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

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


@contextmanager
def all_sides(scratch: Path) -> Iterator[dict[str, str]]:
    """Start every side; yield their URLs by name."""
    with ExitStack() as stack:
        guard = stack.enter_context(Server("--network", "bgp", keeps_log=False))
        nothing = stack.enter_context(
            Server("--network", "bgp", before=DOES_NOTHING, keeps_log=False)
        )
        pair = (str(guard.certificate), str(guard.key))
        python = (sys.executable, "-m")
        yield {
            "guard": guard.url,
            "nothing": nothing.url,
            "floor": stack.enter_context(started(*python, "tests.bench.floor", *pair)),
            "bare": stack.enter_context(started(*python, "tests.bench.bare", *pair)),
            "go": stack.enter_context(started(build("constant", scratch), *pair)),
        }
