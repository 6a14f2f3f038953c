"""What Go makes of a text: the program in tests/eni/go, built once a run."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import unavailable

REFUSED = object()  # what stands for "Go refuses this"


@functools.cache
def program() -> str:
    """Build the oracle and return its path; skip without Go, fail in CI."""
    if shutil.which("go") is None:
        unavailable("Go is not installed: nothing to compare with")
    out = str(Path(tempfile.mkdtemp(prefix="hybrid-guard-oracle-")) / "oracle")
    source = Path(__file__).parent / "go"
    subprocess.run(["go", "build", "-o", out, "."], cwd=source, check=True)
    return out


def ask(
    question: str,
    cases: Sequence[str | tuple[str, ...]],
    loads: Callable[[str], Any] = json.loads,
) -> list[Any]:
    """Return what Go says to each case; REFUSED where it accepts nothing."""
    sent = "\n".join(_line(case) for case in cases) + "\n"
    done = subprocess.run(
        [program(), question], input=sent.encode(), capture_output=True, check=True
    )

    def read(line: bytes) -> Any:
        return REFUSED if line == b"no" else loads(base64.b64decode(line).decode())

    return [read(line) for line in done.stdout.splitlines()]


def _line(case: str | tuple[str, ...]) -> str:
    texts = (case,) if isinstance(case, str) else case
    return " ".join(base64.b64encode(text.encode()).decode() for text in texts)
