"""A program that becomes a container: `python -m ...installation.container SPEC.json [enter PID]`.

It joins the pod's network, mounts the image's root read-only with the volumes on top, gives up
every right, and executes the command as the pod says: user, groups, environment, nothing else. With
`enter PID` it joins a container that runs, as `exec` does. Only the standard library is used,
because the process forks.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests import kernel
from tests.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    LIBC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    call,
    mount,
)

MNT_DETACH = 2


def join(pid: int, *kinds: str) -> None:
    """Join namespaces of a process."""
    handles = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in kinds]
    for handle in handles:
        call(LIBC.setns, handle)
        os.close(handle)


def root(spec: dict[str, Any]) -> Path:
    """Build the root: the image below, a layer for mount points above, volumes, /proc and /dev."""
    mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    scratch = Path(spec["scratch"])
    mount("tmpfs", scratch, "tmpfs", 0)
    upper, work, merged = (scratch / name for name in ("upper", "work", "root"))
    for folder in (upper, work, merged):
        folder.mkdir()
    layers = f"lowerdir={spec['rootfs']},upperdir={upper},workdir={work}"
    mount("overlay", merged, "overlay", 0, layers)
    (merged / "proc").mkdir(exist_ok=True)
    mount("proc", merged / "proc", "proc", 0)
    devices(merged / "dev")
    points = [(entry, within(merged, entry["target"])) for entry in spec["mounts"]]
    for _, point in points:
        point.mkdir(parents=True, exist_ok=True)
    if spec["readOnlyRootFilesystem"]:
        mount("none", merged, "", MS_REMOUNT | MS_RDONLY)
    for entry, point in points:
        kernel.bind(entry["source"], point, read_only=entry["readOnly"])
    return merged


def within(top: Path, target: str) -> Path:
    """Return a path below `top`, whose links mean places below it too (/var/run is one)."""
    parts, found = list(Path(target).parts[1:]), top
    while parts:
        found = found / parts.pop(0)
        if found.is_symlink():
            link = found.readlink()
            parts = [*link.parts[link.is_absolute() :], *parts]
            found = top if link.is_absolute() else found.parent
    return found


def devices(folder: Path) -> None:
    """Give it the devices that every container has, and shared memory."""
    folder.mkdir(exist_ok=True)
    kernel.bind_devices(folder)
    (folder / "shm").mkdir()
    mount("tmpfs", folder / "shm", "tmpfs", MS_NOSUID, "mode=1777,size=64m")


def become(spec: dict[str, Any]) -> None:
    """Give up every right and execute the command; does not return."""
    kernel.drop_all(spec["uid"], spec["gid"], spec["groups"])
    os.execvpe(spec["command"][0], spec["command"], spec["env"])  # noqa: S606  # no shell


def start(spec: dict[str, Any]) -> int:
    """Run the command as the first process of namespaces of its own; return its exit status."""
    kernel.die_with_parent()
    join(spec["sandbox"], "net")
    call(LIBC.unshare, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
    told = Path(spec["pidfile"]).open("w")  # noqa: SIM115  # the child takes its folder away
    child = os.fork()
    if child == 0:
        kernel.die_with_parent()
        new = root(spec)
        os.chdir(new)
        call(LIBC.pivot_root, b".", b".")
        call(LIBC.umount2, b".", MNT_DETACH)
        os.chdir("/")
        become(spec)
    with told:
        told.write(str(child))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def enter(spec: dict[str, Any], pid: int) -> int:
    """Run the command inside a container that runs; return its exit status."""
    kernel.die_with_parent()
    top = os.open(f"/proc/{pid}/root", os.O_RDONLY)
    join(pid, "net", "ipc", "uts", "pid", "mnt")
    os.fchdir(top)
    os.chroot(".")
    child = os.fork()
    if child == 0:
        become(spec)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    status = enter(given, int(sys.argv[3])) if "enter" in sys.argv else start(given)
    sys.exit(status if status >= 0 else 128 - status)
