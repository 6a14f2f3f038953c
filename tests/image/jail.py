"""Run a command of the image as a container runtime would, with nothing but the kernel.

Own mount, process and network namespaces; the root read-only, a writable /tmp, a /dev of five
devices; the image's user and environment; no capability, and none to be gained. The command is
process 1 and gets the SIGTERM that this program gets; its exit status is this program's.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.image.build import Image

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1, 2, 4, 0x20, 0x1000, 0x4000, 0x40000,
)  # fmt: skip
PR_SET_PDEATHSIG, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 23, 24, 38
DEVICES = ("full", "null", "random", "urandom", "zero")
LIBC = ctypes.CDLL(None, use_errno=True)


def command(image: Image, *argv: str, binds: Mapping[str, Path] | None = None) -> list[str]:
    """Return what to run for `argv` in the image; `binds` are shown read-only at their keys."""
    user, group = image.user.split(":")
    described = {
        "rootfs": str(image.rootfs),
        "env": image.env,
        "workdir": image.config["WorkingDir"],
        "user": int(user),
        "group": int(group),
        "binds": {inside: str(outside) for inside, outside in (binds or {}).items()},
        "argv": argv or [*image.entrypoint, *image.config["Cmd"]],
    }
    return [sys.executable, "-m", "tests.image.jail", json.dumps(described)]


def main(described: str) -> int:
    """Start the command in its namespaces and return its exit status."""
    jail = json.loads(described)
    with tempfile.TemporaryDirectory(prefix="hybrid-guard-jail-") as scratch:
        call(LIBC.unshare, CLONE_NEWPID | CLONE_NEWNET)
        child = os.fork()
        if child == 0:
            os._exit(become(jail, Path(scratch)))
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def become(jail: dict[str, object], scratch: Path) -> int:
    """Turn this process into the command; returns only when that fails."""
    try:
        raise_loopback()
        call(LIBC.unshare, CLONE_NEWNS)
        os.chroot(mount_all(jail, scratch))
        os.chdir(str(jail["workdir"]))
        drop_all(int(str(jail["user"])), int(str(jail["group"])))
        argv, env = jail["argv"], jail["env"]
        assert isinstance(argv, list)
        assert isinstance(env, dict)
        os.execvpe(argv[0], argv, env)  # noqa: S606  # as an image's command is started
    except OSError as error:
        sys.stderr.write(f"jail: {error}\n")
    return 127


def mount_all(jail: dict[str, object], scratch: Path) -> Path:
    """Mount the root and what belongs into it; returns the folder to change to."""
    binds = jail["binds"]
    assert isinstance(binds, dict)
    skeleton, root = scratch / "skeleton", scratch / "root"
    for place in ("root", *(f"skeleton{inside}" for inside in ("/dev", "/proc", "/tmp", *binds))):  # noqa: S108  # in the jail
        (scratch / place).mkdir(parents=True, exist_ok=True)
    mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    # Two lower layers and no upper one: nobody can write, and every mount point exists.
    overlay = f"lowerdir={skeleton}:{jail['rootfs']}"
    mount("overlay", root, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, overlay)
    mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV)
    mount("tmpfs", root / "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m")
    mount("tmpfs", root / "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        (root / "dev" / name).touch()
        mount(f"/dev/{name}", root / "dev" / name, "", MS_BIND)
    mount("tmpfs", root / "dev", "", MS_REMOUNT | MS_RDONLY | MS_NOSUID)
    for inside, outside in binds.items():
        mount(outside, Path(f"{root}{inside}"), "", MS_BIND)
        mount(outside, Path(f"{root}{inside}"), "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    return root


def raise_loopback() -> None:
    """Bring up the new network namespace's loopback interface, the only one it has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        siocsifflags, iff_up = 0x8914, 1
        fcntl.ioctl(control, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


def drop_all(user: int, group: int) -> None:
    """Become the user, without capabilities or a way to any."""
    capability = 0
    while LIBC.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0:
        call(LIBC.prctl, PR_CAPBSET_DROP, capability)
        capability += 1
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    call(LIBC.prctl, PR_SET_NO_NEW_PRIVS, 1)
    call(LIBC.prctl, PR_SET_PDEATHSIG, signal.SIGKILL)  # last: a change of user clears it


def mount(source: str, target: Path, kind: str, flags: int, data: str = "") -> None:
    """Make a mount, with the flags of the system call."""
    call(LIBC.mount, source.encode(), bytes(target), kind.encode(), flags, data.encode())


def call(function: ctypes._NamedFuncPointer, *arguments: int | bytes) -> None:
    """Call a function of libc, raising OSError where it fails."""
    padded = (*arguments, *[0] * (5 - len(arguments)))
    if function(*padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}{arguments}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
