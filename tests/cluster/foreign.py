"""What other projects say about objects of theirs, from their own Go code: CRDs and PromQL.

Built once into the cache, in a folder named by a digest of the Go module in `crds`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.controlplane import build

MODULE = Path(__file__).resolve().parent / "crds"
TYPES = (
    "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1",
    "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1",
)
KINDS = (
    "cert-manager.io_certificates",
    "cert-manager.io_issuers",
    "monitoring.coreos.com_prometheusrules",
    "monitoring.coreos.com_servicemonitors",
)


def crds() -> list[Path]:
    """Return the CRDs that the chart's optional parts need, as controller-gen writes them."""
    return [built() / f"{name}.yaml" for name in KINDS]


def promql(expressions: list[str]) -> list[str]:
    """Return what Prometheus' parser says to each expression: "ok" or what is wrong."""
    lines = "".join(f"{' '.join(expression.split())}\n" for expression in expressions)
    done = subprocess.run(
        [built() / "promql"], input=lines, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def built() -> Path:
    """Return the folder that holds them, building it first where it is missing (minutes, once)."""
    root = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybrid-guard" / "crds"
    )
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in sorted(MODULE.iterdir())))
    folder = root / digest.hexdigest()[:12]
    if not folder.exists():
        with build.locked(root):
            if not folder.exists():
                _build(folder)
    return folder


def _build(folder: Path) -> None:
    """Fill a folder beside the wanted one and rename it: it is there whole, or not at all."""
    go, environment = build.find_go(), build.go_environment()
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        new = Path(scratch) / "new"

        def run(*command: str | Path) -> None:
            subprocess.run(command, cwd=MODULE, env=environment, check=True)

        run(go, "build", "-o", new / "promql", ".")
        run(go, "tool", "controller-gen", "crd:maxDescLen=0",
            f"paths={';'.join(TYPES)}", f"output:crd:dir={new}")  # fmt: skip
        new.rename(folder)
