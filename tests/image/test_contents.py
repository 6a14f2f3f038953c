"""What is in the image, and above all what is not."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.image import bases
from tests.image.build import Image

INTERPRETER = f"/usr/bin/python{bases.PYTHON}"
SCRIPTS = {"/opt/hybrid-guard/bin/hybrid-certs", "/opt/hybrid-guard/bin/hybrid-guard"}
PROGRAM_FOLDERS = {"bin", "sbin", "games", "libexec"}
WRITABLE = {"/tmp", "/var/tmp", "/var/lock"}  # noqa: S108  # those of any Debian
PRIVATE_KEY = re.compile(
    rb"^-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/]{40}", re.MULTILINE
)
PT_INTERP = 3


class Listing(dict[str, os.stat_result]):
    """Every entry by its path in the image, with what lstat tells of it."""

    def __init__(self, rootfs: Path) -> None:
        self.rootfs = rootfs
        for folder, folders, files in os.walk(rootfs):
            for path in (Path(folder, name) for name in (*folders, *files)):
                self[f"/{path.relative_to(rootfs)}"] = path.lstat()

    def files(self) -> list[str]:
        """Return the regular files."""
        return [path for path, status in self.items() if stat.S_ISREG(status.st_mode)]

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return (self.rootfs / path[1:]).read_bytes()


def is_program(path: str, content: bytes) -> bool:
    """Tell whether the kernel can start it: ELF, and no library or one that asks for a loader."""
    if content[:4] != b"\x7fELF":
        return False
    start, size, count = (
        int.from_bytes(content[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58))
    )
    kinds = (content[start + i * size : start + i * size + 4] for i in range(count))
    return ".so" not in Path(path).name or PT_INTERP in [
        int.from_bytes(kind, "little") for kind in kinds
    ]


@pytest.fixture(scope="module")
def listing(image: Image) -> Listing:
    return Listing(image.rootfs)


def test_its_programs_are_the_interpreter_and_our_two(listing: Listing) -> None:
    runnable = {path for path in listing.files() if listing[path].st_mode & 0o111}
    elf = {path for path in listing.files() if is_program(path, listing.read(path))}

    assert {path for path in runnable if PROGRAM_FOLDERS & set(Path(path).parts)} == {
        INTERPRETER,
        *SCRIPTS,
    }
    # Called, the C library prints its version, and its loader is how all others start.
    assert {
        path for path in elf if Path(path).name not in {"libc.so.6", "ld-linux-x86-64.so.2"}
    } == {INTERPRETER}


@pytest.mark.parametrize(
    "name",
    [
        "sh", "bash", "dash", "busybox", "toybox", "perl", "awk", "mawk", "env", "gcc", "cc", "cc1", "ld", "as", "tcc",
        "apt", "apt-get", "dpkg", "dpkg-deb", "rpm", "apk", "pip", "pip3", "uv", "easy_install", "curl", "wget", "nc", "ssh", "openssl", "su", "mount", "ldconfig",
    ],
)  # fmt: skip
def test_no_such_program_is_anywhere(listing: Listing, name: str) -> None:
    assert [
        path
        for path, status in listing.items()
        if path.endswith(f"/{name}") and not stat.S_ISDIR(status.st_mode)
    ] == []


@pytest.mark.parametrize(
    "name", ["pip", "setuptools", "pkg_resources", "wheel", "ensurepip", "_distutils_hack", "tests"]
)
def test_no_such_package_is_anywhere(listing: Listing, name: str) -> None:
    named = re.compile(rf"/{name}(-[0-9][^/]*\.(dist|egg)-info)?$")

    assert [path for path in listing if named.search(path)] == []


def test_nothing_gives_rights_away(listing: Listing) -> None:
    raised = [
        path for path in listing.files() if listing[path].st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]
    of_all = {
        path
        for path, status in listing.items()
        if status.st_mode & 0o002 and not stat.S_ISLNK(status.st_mode)
    }
    owned = [path for path, status in listing.items() if (status.st_uid, status.st_gid) != (0, 0)]

    assert raised == []
    assert of_all <= WRITABLE
    assert [
        path for path in owned if listing[path].st_uid != 0 or listing[path].st_mode & 0o020
    ] == []


def test_no_key_is_in_it(listing: Listing) -> None:
    named = [path for path in listing if path.endswith((".pem", ".key"))]

    assert [path for path in named if not path.endswith("/certifi/cacert.pem")] == []
    assert [path for path in listing.files() if PRIVATE_KEY.search(listing.read(path))] == []


def test_our_code_is_all_there_and_nothing_of_the_tests(image: Image) -> None:
    (packages,) = image.rootfs.glob("opt/hybrid-guard/lib/python3.*/site-packages")
    for package in ("webhook", "certs"):
        ours = {file.relative_to(ROOT) for file in (ROOT / package).rglob("*.py")}
        theirs = {file.relative_to(packages) for file in (packages / package).rglob("*.py")}
        assert theirs == ours
    assert not any((packages / name).exists() for name in ("tests", "examples", "charts", "docs"))


def test_all_code_is_compiled_once(image: Image, listing: Listing) -> None:
    compiled = image.env["PYTHONPYCACHEPREFIX"]
    suffix = f".cpython-{bases.PYTHON.replace('.', '')}.pyc"
    sources = [
        path for path in listing if path.endswith(".py") and path.startswith(("/opt/", "/usr/lib/"))
    ]

    assert len(sources) > 1000
    assert [
        path for path in sources if f"{compiled}{path.removesuffix('.py')}{suffix}" not in listing
    ] == []
    assert [path for path in listing if path.endswith("/__pycache__")] == []


def test_its_configuration_is_what_the_chart_relies_on(image: Image) -> None:
    values = yaml.safe_load((ROOT / "charts/hybrid-guard/values.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert image.user == "65532:65532"
    assert image.config["Entrypoint"] == ["hybrid-guard"]
    assert image.config["Cmd"] == ["--help"]
    assert list(image.config["ExposedPorts"]) == [f"{values['server']['port']}/tcp"]
    assert image.config["Labels"]["org.opencontainers.image.version"] == project["version"]
    assert image.config["Labels"]["org.opencontainers.image.licenses"] == project["license"]


def test_the_dockerfile_defaults_are_of_the_same_debian_and_python() -> None:
    arguments = dict(
        re.findall(r"^ARG (\w+)=(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )

    assert arguments["BUILD_BASE"].endswith(f"/python:{bases.PYTHON}-slim-{bases.SUITE}")
    assert "/python3-debian13" in arguments["BASE"], "trixie is Debian 13"


def test_the_last_stage_only_copies() -> None:
    last = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[-1]

    assert "\nCOPY --from=" in last
    assert re.findall(r"^(RUN|ADD|SHELL)\b", last, re.MULTILINE) == []


def test_a_compiler_or_a_second_client_would_not_fit(listing: Listing) -> None:
    assert sum(listing[path].st_size for path in listing.files()) < 200e6
