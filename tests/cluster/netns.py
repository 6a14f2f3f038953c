"""A network of one's own, in which an API server may call what listens beside it."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import CI

CLONE_NEWNET = 0x40000000
ADDRESS = "192.0.2.1"  # RFC 5737: nobody else's
LIBC = ctypes.CDLL(None, use_errno=True)


@contextmanager
def isolated(*more: str) -> Iterator[str]:
    """Move this thread, and what it starts, into a network with an address; yield that.

    `more` are further addresses of it.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if LIBC.unshare(CLONE_NEWNET) != 0:
            message = f"a network namespace needs root: {os.strerror(ctypes.get_errno())}"
            if CI:
                pytest.fail(message)
            pytest.skip(message)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in (ADDRESS, *more):
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
        yield ADDRESS
    finally:
        LIBC.setns(before, CLONE_NEWNET)
        os.close(before)
