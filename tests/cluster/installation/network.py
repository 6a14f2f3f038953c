"""Network namespaces: one for the control plane, and in it a bridge with one more for each pod.

All of it is reachable only from inside and goes with the processes that hold it.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import debian
from tests.cluster import netns
from tests.cluster.netns import ip

NODE_ADDRESS = netns.ADDRESS
"""Of the bridge: the machine that the API server is on."""
_POD_ADDRESSES = "192.0.2.{}"
_BRIDGE = "pods"
_PROGRAMS = {"ip": "iproute2", "nft": "nftables", "nsenter": "util-linux", "unshare": "util-linux"}


def require() -> None:
    """Have what is needed: root and the programs. Raises debian.MissingError."""
    debian.require_root("a network of its own")
    debian.require(_PROGRAMS)


@contextmanager
def isolated(services: str) -> Iterator[None]:
    """Move this thread, and what it starts, into a new network; `services` are routed there."""
    with netns.entered():
        ip("link", "add", _BRIDGE, "type", "bridge")
        ip("addr", "add", f"{NODE_ADDRESS}/24", "dev", _BRIDGE)
        ip("link", "set", _BRIDGE, "up")
        ip("route", "add", services, "dev", _BRIDGE)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        yield


class Sandbox:
    """A pod's network: it lives as long as the process that holds it, as containers come and go."""

    _numbers = itertools.count(10)

    def __init__(self) -> None:
        number = next(self._numbers)
        self.address = _POD_ADDRESSES.format(number)
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._holder.stdout is not None
        self._holder.stdout.readline()  # it is in its namespace
        self.pid = self._holder.pid
        link = f"pod{number}"
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        ip("link", "set", link, "master", _BRIDGE, "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", NODE_ADDRESS),
        ):
            self._inside("ip", *command)

    def _inside(self, *command: str) -> None:
        subprocess.run(["nsenter", "--target", str(self.pid), "--net", *command], check=True)

    def close(self) -> None:
        """Give it up: the kernel takes the devices away."""
        self._holder.kill()
        self._holder.communicate()
