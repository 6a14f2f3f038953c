"""Which programs a control plane is made of, in which version, and where they are kept.

Versions live in the `go.mod` files beside this module and nowhere else. Looking never builds:
that is `build`'s job, so that a test run can ask cheaply whether it has what it needs.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program: the module folder it is built in, and its package."""

    name: str
    module: str
    package: str


PROGRAMS = (
    Program(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3"),
    *(
        Program(name=name, module="kubernetes", package=f"k8s.io/kubernetes/cmd/{name}")
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    ),
    Program(name="kwok", module="kwok", package="sigs.k8s.io/kwok/cmd/kwok"),
    Program(name="helm", module="helm", package="helm.sh/helm/v4/cmd/helm"),
)
"""In the order they are built: the API server compiles most of what the next two need."""


class ProgramMissingError(Exception):
    """A program is neither in KUBEBUILDER_ASSETS nor in the cache."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(
            f"missing: {', '.join(names)}; run `make tools` "
            "(builds etcd, kube-apiserver and the others with Go: about 10 minutes, once)"
        )


def kubernetes_version() -> str:
    """Return the Kubernetes version that `kubernetes/go.mod` asks for, as `v1.37.2`."""
    text = (MODULES / "kubernetes" / "go.mod").read_text("utf-8")
    found = re.search(r"\bk8s\.io/kubernetes (v\d+\.\d+\.\d+)\b", text)
    if found is None:
        raise ValueError(
            f"{MODULES / 'kubernetes' / 'go.mod'} names no version of k8s.io/kubernetes"
        )
    return found[1]


def link_flags(version: str) -> str:
    """Return the linker flags: no symbols, and the version that a server reports as its own.

    Unstamped, kube-apiserver calls itself v0.0.0 and clients take it for an ancient one.
    """
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(
        ["-s", "-w"]
        + [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items()]
    )


def cache_folder() -> Path:
    """Return where built programs are kept: one folder for each version and set of go.mod files."""
    version = kubernetes_version()
    digest = hashlib.sha256(link_flags(version).encode())
    for go_mod in sorted(MODULES.glob("*/go.mod")):
        digest.update(go_mod.parent.name.encode() + b"\0" + go_mod.read_bytes())
    return cache_root() / f"{version}-{digest.hexdigest()[:12]}"


def cache_root() -> Path:
    """Return where all versions are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hybrid-guard" / "control-plane"


def find(name: str) -> Path | None:
    """Return the program: from KUBEBUILDER_ASSETS if it has it, else from the cache, else None."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    folders = ([Path(assets)] if assets else []) + [cache_folder()]
    for folder in folders:
        candidate = folder / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.absolute()
    return None


def require(*names: str) -> dict[str, Path]:
    """Return all programs named, or say at once which are missing and how to get them."""
    found = {name: find(name) for name in names}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ProgramMissingError(missing)
    return {name: path for name, path in found.items() if path is not None}


def served_version() -> str:
    """Return the version of the kube-apiserver that is found, as `v1.37.2`."""
    program = require("kube-apiserver")["kube-apiserver"]
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[-1]


def kubectl() -> Path:
    """Return kubectl: the virtual environment's own before KUBEBUILDER_ASSETS and PATH.

    The locked requirements hold one, so that tests do not depend on what a machine came with.
    """
    beside = Path(sys.executable).parent / "kubectl"
    if beside.is_file():
        return beside
    found = find("kubectl") or shutil.which("kubectl")
    if found is None:
        raise ProgramMissingError(["kubectl"])
    return Path(found)
