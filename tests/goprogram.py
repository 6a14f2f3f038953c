"""Go programs of our own that tests ask: built once for each state of their sources."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.controlplane.build import locked
from tests.conftest import unavailable


@functools.cache
def built(source: Path) -> Path:
    """Return the program of a module's folder, from the cache; skip without Go, fail in CI.

    Tests that run side by side wait for one another's build and find it whole.
    """
    go = shutil.which("go")
    if go is None:
        unavailable(f"Go is missing: {source} cannot be built")
    digest = hashlib.sha256()
    for file in sorted(source.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "hybrid-guard" / "oracle" / digest.hexdigest()[:16]
    with locked(program.parent):
        if not program.exists():
            with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
                fresh = Path(scratch) / "program"
                subprocess.run([go, "build", "-o", fresh, "."], cwd=source, check=True)
                fresh.replace(program)
    return program
