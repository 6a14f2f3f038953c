"""A program that becomes a container: `python container.py SPEC.json [enter PID]`.

It joins the pod's network, mounts the image's root read-only with the volumes on top, gives up
every right, and executes the command as the pod says: user, groups, environment, nothing else. With
`enter PID` it joins a container that runs, as `exec` does. Only the standard library is used,
because the process forks.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS = 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LAST_CAPABILITY = 63
DEVICES = ("null", "zero", "full", "random", "urandom")


def checked(status: int, what: str) -> None:
    """Raise with the system's reason when a call failed."""
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: Path, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, or raise OSError."""
    status = LIBC.mount(
        source.encode(), str(target).encode(), kind.encode(), flags, options.encode() or None
    )
    checked(status, f"mount {target}")


def join(pid: int, *kinds: str) -> None:
    """Join namespaces of a process."""
    handles = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in kinds]
    for handle in handles:
        checked(LIBC.setns(handle, 0), f"setns to {pid}")
        os.close(handle)


def root(spec: dict[str, Any]) -> Path:
    """Build the root: the image below, a layer for mount points above, volumes, /proc and /dev."""
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
    scratch = Path(spec["scratch"])
    mount("tmpfs", scratch, "tmpfs")
    upper, work, merged = (scratch / name for name in ("upper", "work", "root"))
    for folder in (upper, work, merged):
        folder.mkdir()
    layers = f"lowerdir={spec['rootfs']},upperdir={upper},workdir={work}"
    mount("overlay", merged, "overlay", 0, layers)
    (merged / "proc").mkdir(exist_ok=True)
    mount("proc", merged / "proc", "proc")
    devices(merged / "dev")
    points = [(entry, within(merged, entry["target"])) for entry in spec["mounts"]]
    for _, point in points:
        point.mkdir(parents=True, exist_ok=True)
    if spec["readOnlyRootFilesystem"]:
        mount("none", merged, "", MS_REMOUNT | MS_RDONLY)
    for entry, point in points:
        mount(entry["source"], point, "", MS_BIND | MS_REC)
        if entry["readOnly"]:
            mount("none", point, "", MS_BIND | MS_REMOUNT | MS_RDONLY)
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
    mount("tmpfs", folder, "tmpfs", MS_NOSUID, "mode=755")
    for name in DEVICES:
        (folder / name).touch()
        mount(f"/dev/{name}", folder / name, "", MS_BIND)
    (folder / "shm").mkdir()
    mount("tmpfs", folder / "shm", "tmpfs", MS_NOSUID, "mode=1777,size=64m")


def become(spec: dict[str, Any]) -> None:
    """Give up every right and execute the command; does not return."""
    for number in range(LAST_CAPABILITY + 1):
        LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # fails for those the kernel does not know
    os.setgroups(spec["groups"])
    os.setgid(spec["gid"])
    os.setuid(spec["uid"])
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # another user begins without one
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    os.execvpe(spec["command"][0], spec["command"], spec["env"])  # noqa: S606  # no shell


def start(spec: dict[str, Any]) -> int:
    """Run the command as the first process of namespaces of its own; return its exit status."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    join(spec["sandbox"], "net")
    checked(LIBC.unshare(NEWNS | NEWPID | NEWIPC | NEWUTS), "unshare")
    told = Path(spec["pidfile"]).open("w")  # noqa: SIM115  # the child takes its folder away
    child = os.fork()
    if child == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        new = root(spec)
        os.chdir(new)
        checked(LIBC.pivot_root(b".", b"."), "pivot_root")
        checked(LIBC.umount2(b".", MNT_DETACH), "umount")
        os.chdir("/")
        become(spec)
    with told:
        told.write(str(child))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def enter(spec: dict[str, Any], pid: int) -> int:
    """Run the command inside a container that runs; return its exit status."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
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
