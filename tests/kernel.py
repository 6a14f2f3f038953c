"""What tests ask of the kernel directly: mounts, namespaces, and giving up every right.

Only the standard library: programs that fork and become a container import it.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1, 2, 4, 0x20, 0x1000, 0x4000, 0x40000,
)  # fmt: skip
DEVICES = ("full", "null", "random", "urandom", "zero")
LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 23, 24, 38


def call(function: ctypes._NamedFuncPointer, *arguments: int | bytes) -> None:
    """Call a function of libc, raising OSError where it fails."""
    padded = (*arguments, *[0] * (5 - len(arguments)))
    if function(*padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}{arguments}: {os.strerror(number)}")


def mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    """Make a mount, with the flags of the system call."""
    call(LIBC.mount, source.encode(), bytes(target), kind.encode(), flags, data.encode())


def bind(source: str, target: Path, *, read_only: bool) -> None:
    """Show what is at `source` at `target` too."""
    mount(source, target, "", MS_BIND)
    if read_only:
        mount(source, target, "", MS_REMOUNT | MS_BIND | MS_RDONLY)


def bind_devices(folder: Path) -> None:
    """Mount a /dev of the devices that every container has."""
    mount("tmpfs", folder, "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        (folder / name).touch()
        bind(f"/dev/{name}", folder / name, read_only=False)


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    call(LIBC.prctl, _PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_all(user: int, group: int, groups: Sequence[int] = ()) -> None:
    """Become the user, without capabilities or a way to any."""
    capability = 0
    while LIBC.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) >= 0:
        call(LIBC.prctl, _PR_CAPBSET_DROP, capability)
        capability += 1
    os.setgroups(groups)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    call(LIBC.prctl, _PR_SET_NO_NEW_PRIVS, 1)
    die_with_parent()  # last: a change of user clears it
