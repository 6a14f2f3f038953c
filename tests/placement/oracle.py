"""Kubernetes' own answer, from a small Go program over component-helpers' nodeaffinity."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.conftest import unavailable

SOURCE = Path(__file__).resolve().parent / "oracle"
NodeLike = tuple[str, dict[str, str]]


def program() -> Path:
    """Return the built program; build it once for each state of its source."""
    go = shutil.which("go")
    if go is None:
        unavailable("Go is missing: Kubernetes' own code cannot be asked")
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((SOURCE / name).read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "hybrid-guard" / "oracle" / digest.hexdigest()[:16]
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.parent) as scratch:
            fresh = Path(scratch) / "oracle"
            subprocess.run([go, "build", "-o", fresh, "."], cwd=SOURCE, check=True)
            fresh.replace(built)
    return built


def ask(questions: Sequence[tuple[Any, Sequence[NodeLike]]]) -> list[list[bool] | None]:
    """Return for each (pod spec, nodes) whether each node fits; None where Go refuses the spec."""
    lines = [
        json.dumps({"spec": spec, "nodes": [{"name": n, "labels": labels} for n, labels in nodes]})
        for spec, nodes in questions
    ]
    done = subprocess.run(
        [program()], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    answers: list[list[bool] | None] = []
    for line in done.stdout.splitlines():
        assert not line.startswith("broken"), line
        answers.append(None if line == "refused" else [c == "1" for c in line])
    assert len(answers) == len(questions)
    return answers
