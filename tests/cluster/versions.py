"""`python -m tests.cluster.versions [VERSION ...]`: what the API server decides, on older ones.

Each version's kube-apiserver is built from its release (minutes, once) and takes the newest one's
place in the tests that need no controller. `make test` runs the same tests on the newest.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cluster.controlplane import older
from tests.cluster.controlplane.build import BuildError
from tests.conftest import ROOT

VERSIONS = ("v1.36.3", "v1.35.4", "v1.34.4", "v1.33.13")
FILES = ("chart_applied", "chart_hooks", "eni_config", "certs", "drain", "keep_alive", "jobs")


def judged(version: str) -> tuple[bool, str]:
    """Build one version and run the tests on it; tell whether they passed, and their last line."""
    try:
        folder = older.build_api_server(version)
    except BuildError as error:
        return False, f"does not build: {error}"
    command = [sys.executable, "-m", "pytest", "-q", "--no-header"]
    command += [f"tests/cluster/test_{name}.py" for name in FILES]
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "KUBEBUILDER_ASSETS": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            sys.stderr.write(line)
            lines.append(line.strip())
    return running.returncode == 0, lines[-1] if lines else "no tests ran"


def main() -> int:
    """Judge each version and print a line for it; 0 when all passed."""
    results = {version: judged(version) for version in sys.argv[1:] or VERSIONS}
    for version, (_, told) in results.items():
        sys.stdout.write(f"{version:9} {told}\n")
    return 0 if all(passed for passed, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
