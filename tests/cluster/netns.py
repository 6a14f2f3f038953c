"""A network of one's own, in which an API server may call what listens beside it.

Reachable only from inside; it goes with the processes that are in it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests import debian
from tests.conftest import unavailable
from tests.kernel import CLONE_NEWNET, LIBC, call

ADDRESS = "192.0.2.1"  # RFC 5737: nobody else's


@contextmanager
def entered() -> Iterator[None]:
    """Move this thread, and what it starts, into a new network with loopback alone.

    Raises debian.MissingError where the kernel does not let us.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        call(LIBC.unshare, CLONE_NEWNET)
    except OSError as error:
        os.close(before)
        raise debian.MissingError(f"a network namespace needs root: {error.strerror}") from None
    try:
        ip("link", "set", "lo", "up")
        yield
    finally:
        call(LIBC.setns, before, CLONE_NEWNET)
        os.close(before)


@contextmanager
def isolated(*more: str) -> Iterator[str]:
    """Move this thread, and what it starts, into a network with an address; yield that.

    `more` are further addresses of it. Skips, and says why, where none can be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(entered())
        except debian.MissingError as error:
            unavailable(error)
        for address in (ADDRESS, *more):
            ip("addr", "add", f"{address}/32", "dev", "lo")
        yield ADDRESS


def ip(*arguments: str) -> None:
    """Run `ip` in the present network."""
    subprocess.run(["ip", *arguments], check=True)
