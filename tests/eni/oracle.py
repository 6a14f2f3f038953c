"""What Go makes of a text: the program in tests/eni/go is asked."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.goprogram import built

SOURCE = Path(__file__).resolve().with_name("go")
REFUSED = object()  # what stands for "Go refuses this"


def ask(
    question: str,
    cases: Sequence[str | tuple[str, ...]],
    loads: Callable[[str], Any] = json.loads,
) -> list[Any]:
    """Return what Go says to each case; REFUSED where it accepts nothing."""
    sent = "\n".join(_line(case) for case in cases) + "\n"
    done = subprocess.run(
        [built(SOURCE), question], input=sent.encode(), capture_output=True, check=True
    )

    def read(line: bytes) -> Any:
        return REFUSED if line == b"no" else loads(base64.b64decode(line).decode())

    return [read(line) for line in done.stdout.splitlines()]


def _line(case: str | tuple[str, ...]) -> str:
    texts = (case,) if isinstance(case, str) else case
    return " ".join(base64.b64encode(text.encode()).decode() for text in texts)
