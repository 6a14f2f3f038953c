"""Kubernetes' own answer, from a small Go program over component-helpers' nodeaffinity."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.goprogram import built

SOURCE = Path(__file__).resolve().with_name("oracle")
NodeLike = tuple[str, dict[str, str]]


def ask(questions: Sequence[tuple[Any, Sequence[NodeLike]]]) -> list[list[bool] | None]:
    """Return for each (pod spec, nodes) whether each node fits; None where Go refuses the spec."""
    lines = [
        json.dumps({"spec": spec, "nodes": [{"name": n, "labels": labels} for n, labels in nodes]})
        for spec, nodes in questions
    ]
    done = subprocess.run(
        [built(SOURCE)], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    answers: list[list[bool] | None] = []
    for line in done.stdout.splitlines():
        assert not line.startswith("broken"), line
        answers.append(None if line == "refused" else [c == "1" for c in line])
    assert len(answers) == len(questions)
    return answers
