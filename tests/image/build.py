"""Build the image from the Dockerfile with buildah, unpack it, and keep it by its inputs' digest.

Safe to run twice at once and to cut short: a lock makes the second run wait, and a folder is
renamed into place only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.controlplane.build import locked, say
from tests.image import bases, commands, sbom
from tests.image.buildah import Buildah

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECIPE = ("base.sh", "bases.py", "build.py", "buildah.py", "commands.py", "sbom.py")
UNUSED_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Image:
    """A built image; its files are shared between test runs, so read them only."""

    folder: Path

    @property
    def rootfs(self) -> Path:
        """The unpacked root file system."""
        return self.folder / "rootfs"

    @property
    def archive(self) -> Path:
        """The image as an OCI archive, for `podman load` and others."""
        return self.folder / "image.tar"

    @property
    def size(self) -> tuple[int, int]:
        """How much there is to pull, and how much it is unpacked, in bytes."""
        files = (Path(folder, name) for folder, _, names in os.walk(self.rootfs) for name in names)
        return self.archive.stat().st_size, sum(file.lstat().st_size for file in files)

    @property
    def sbom(self) -> Path:
        """What is in it, as CycloneDX JSON."""
        return self.folder / "sbom.cdx.json"

    @property
    def id(self) -> str:
        """The digest of its configuration, and so of all its layers."""
        return (self.folder / "id").read_text("ascii")

    @property
    def config(self) -> dict[str, Any]:
        """The image's OCI configuration: Env, Entrypoint, Cmd, User, WorkingDir, Labels."""
        config: dict[str, Any] = json.loads((self.folder / "config.json").read_bytes())
        return config

    @property
    def env(self) -> dict[str, str]:
        """The environment that a process of the image starts with."""
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    @property
    def user(self) -> str:
        """The user and group, as `65532:65532`."""
        return str(self.config["User"])

    @property
    def entrypoint(self) -> list[str]:
        """What runs where no command is given, without its arguments (Cmd)."""
        return list(self.config["Entrypoint"])


def image() -> Image:
    """Return the image of the present sources, building what is missing; raises ImageError."""
    commands.require_tools()
    folder = cache() / digest()
    made(folder, build)
    os.utime(folder)
    return Image(folder)


def cache() -> Path:
    """Return where images, bases and wheels are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hybrid-guard" / "image"


def inputs() -> list[Path]:
    """Return the files that decide what the image is: the Dockerfile and what it may copy."""
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = [ROOT / line[1:] for line in ignore if line.startswith("!")]
    files = [file for path in allowed for file in ([path] if path.is_file() else path.rglob("*"))]
    how = [ROOT / "Dockerfile", ROOT / ".dockerignore", *(HERE / name for name in RECIPE)]
    return sorted(file for file in how + files if file.is_file() and file.suffix != ".pyc")


def digest() -> str:
    """Return the digest of the inputs: the name under which the image is kept."""
    found = hashlib.sha256(platform.machine().encode())
    for file in inputs():
        found.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder; where it is missing, fill it under another name and rename it."""
    if not folder.is_dir():
        with locked(folder.parent / f".{folder.name}"):
            partial = folder.with_name(f".{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            if not folder.is_dir():
                partial.mkdir(parents=True)
                make(partial)
                partial.rename(folder)
    return folder


def build(folder: Path) -> None:
    """Build the image into a folder: rootfs/, id, config.json, image.tar, sbom.cdx.json."""
    started = time.monotonic()
    drop_unused()
    storage = folder / "storage"
    storage.mkdir()
    built(storage).export(folder)
    shutil.rmtree(storage)
    sbom.write(folder / "rootfs", folder / "sbom.cdx.json")
    say(f"image: built in {time.monotonic() - started:.0f} s")


def built(storage: Path) -> Buildah:
    """Run the Dockerfile; what comes out is in buildah's storage, an empty folder before."""
    base = made(cache() / f"bases-{bases.digest()}", bases.make)
    wheels = made(cache() / wheels_name(), download)
    buildah = Buildah(storage)
    for name in ("build", "base"):
        buildah.load(base / f"{name}.tar", name)
    buildah.build(ROOT, wheels)
    return buildah


def wheels_name() -> str:
    """Return the name of the folder of wheels: the locked ones, for the image's Python."""
    files = [ROOT / "requirements" / name for name in ("build.txt", "run.txt")]
    locked_ones = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return f"wheels-{bases.PYTHON}-{locked_ones}"


def download(folder: Path) -> None:
    """Fetch the locked wheels here, where pip is set up for this machine's index."""
    machine = platform.machine()
    platforms = [f"--platform=manylinux{glibc}_{machine}" for glibc in ("2014", "_2_28", "_2_34")]
    locks = [f"-r{ROOT / 'requirements' / name}" for name in ("build.txt", "run.txt")]
    commands.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--only-binary=:all:", f"--python-version={bases.PYTHON}", *platforms, *locks,
            f"--dest={folder}",
        ],
        "wheels",
    )  # fmt: skip


def drop_unused() -> None:
    """Remove what no run has asked for in a day: bases, too, so that they get their updates."""
    for folder in cache().glob("*"):
        with suppress(FileNotFoundError):  # another build may have renamed it
            if folder.stat().st_mtime < time.time() - UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
