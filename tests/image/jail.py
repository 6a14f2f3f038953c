"""Run a command of the image as a container runtime would, with nothing but the kernel.

Own mount, process and network namespaces; the root read-only, a writable /tmp, a /dev of five
devices; the image's user and environment; no capability, and none to be gained. The command is
process 1 and gets the SIGTERM that this program gets; its exit status is this program's.
"""

from __future__ import annotations

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

from tests import kernel
from tests.image.build import Image
from tests.kernel import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    LIBC,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    call,
    mount,
)


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
        kernel.drop_all(int(str(jail["user"])), int(str(jail["group"])))
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
    kernel.bind_devices(root / "dev")
    mount("tmpfs", root / "dev", "", MS_REMOUNT | MS_RDONLY | MS_NOSUID)
    for inside, outside in binds.items():
        kernel.bind(outside, Path(f"{root}{inside}"), read_only=True)
    return root


def raise_loopback() -> None:
    """Bring up the new network namespace's loopback interface, the only one it has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        siocsifflags, iff_up = 0x8914, 1
        fcntl.ioctl(control, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
