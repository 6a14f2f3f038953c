"""The two bases of the Dockerfile, made from Debian's packages with mmdebstrap.

They stand in for the Dockerfile's defaults, which come from image registries: the same Debian, the
same Python, the same places. The last base has what distroless has: packages taken apart without a
package manager, each one's record in /var/lib/dpkg/status.d, no program but the interpreter.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.image import commands

SUITE = "trixie"
PYTHON = "3.13"

MMDEBSTRAP = ("mmdebstrap", "--quiet", "--aptopt=Acquire::Retries 3")

BUILD_PACKAGES = ("python3", "python3-pip", "python3-venv")

PACKAGES = (
    "base-files", "gcc-14-base", "libbz2-1.0", "libc6", "libdb5.3t64", "libexpat1", "libffi8",
    "libgcc-s1", "liblzma5", "libncursesw6", f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib", "libreadline8t64", "libsqlite3-0", "libssl3t64", "libstdc++6", "libtinfo6",
    "libuuid1", "libzstd1", "media-types", "netbase", "openssl-provider-legacy",
    f"python{PYTHON}-minimal", "readline-common", "tzdata", "zlib1g",
)  # fmt: skip
"""All that the last base holds: apt must not add to it."""

_HOOK = Path(__file__).with_name("base.sh")


def digest() -> str:
    """Return a digest of what the bases are made of."""
    return hashlib.sha256(Path(__file__).read_bytes() + _HOOK.read_bytes()).hexdigest()[:16]


def make(folder: Path) -> None:
    """Write build.tar and base.tar, the root file systems of both bases, into `folder`."""
    build_packages = " ".join(BUILD_PACKAGES)
    commands.run(
        [
            *MMDEBSTRAP, "--variant=essential", f"--include={build_packages}",
            SUITE, str(folder / "build.tar"),
        ],
        "the build base",
    )  # fmt: skip
    packages = " ".join(PACKAGES)
    commands.run(
        [
            *MMDEBSTRAP, "--variant=extract", f"--include={packages}",
            "--skip=cleanup,output/dev", "--dpkgopt=path-exclude=/usr/share/man/*",
            f"--setup-hook=sh '{_HOOK}' setup \"$1\"",
            f"--extract-hook=sh '{_HOOK}' extract \"$1\" {packages}",
            SUITE, str(folder / "base.tar"),
        ],
        "the last base",
    )  # fmt: skip
