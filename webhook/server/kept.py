"""The last good content of a watched file, in memory that outlives every worker.

The master holds it open and each worker inherits it: a worker that comes up while the file is
broken serves what its siblings serve, not what stood in the file when the server started.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct("<QQ")  # generation, length


@dataclass(frozen=True, slots=True)
class Version:
    """A content, and how many of them there were with it."""

    generation: int
    content: bytes


class Kept:
    """One content at a time; made before the fork, and changed by whichever worker is first."""

    def __init__(self, content: bytes) -> None:
        self._file = in_memory()
        self.keep(content)

    def read(self) -> Version:
        """Return the last good content."""
        with self._locked():
            return self._read()

    def keep(self, content: bytes) -> int:
        """Keep a content that is known to be good; return its generation, from 1 on."""
        with self._locked():
            found = self._read()
            if found.generation and found.content == content:
                return found.generation
            generation = found.generation + 1
            os.pwrite(self._file, _HEAD.pack(generation, len(content)) + content, 0)
            return generation

    def _read(self) -> Version:
        head = os.pread(self._file, _HEAD.size, 0)
        if not head:
            return Version(0, b"")
        generation, length = _HEAD.unpack(head)
        return Version(generation, os.pread(self._file, length, _HEAD.size))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of this process; the system takes it back when the process ends."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def in_memory() -> int:
    """Return the descriptor of an empty file that no full or read-only disk takes away."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("hybrid-guard")
    with tempfile.TemporaryFile() as file:  # not on Linux
        return os.dup(file.fileno())


def path_of(file: int) -> str:
    """Return the path by which this process may open a descriptor of its own once more."""
    folder = "/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd"
    return f"{folder}/{file}"
