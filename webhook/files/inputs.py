"""What a command line names as input: files, folders, standard input; read as often as wanted."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from webhook.files import folders, manifests
from webhook.files.errors import FileError, ForeignError
from webhook.files.folders import Skipped
from webhook.files.manifests import STDIN, Manifest
from webhook.files.window import PIECE, Readable

_AT_HAND = 16 * 1024 * 1024  # bytes of a pipe that are kept in memory; more in a nameless file


class Inputs:
    """The files of a run. `skipped` grows while they are read; `done` counts the bytes."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.skipped: list[Skipped] = []
        self.done = 0
        self._copies: dict[str, IO[bytes]] = {}
        self._in_folders: set[str] = set()
        self._found = [found for path in paths for found in self._walk(path)]

    @property
    def size(self) -> int:
        """The bytes of all files; of standard input nobody knows."""
        files = (Path(found) for found in self._found if isinstance(found, str))
        return sum(file.stat().st_size for file in files if file.is_file())

    def manifests(self) -> Iterator[Manifest | FileError]:
        """Yield the objects, and what is wrong with others, in the order of the input."""
        for found in self._found:
            if isinstance(found, FileError):
                yield found
                continue
            for one in self._scan(found):
                if isinstance(one, ForeignError) and found in self._in_folders:
                    self.skipped.append(Skipped(f"{one.file}:{one.line}", one.message))
                else:
                    yield one

    def mentioning(self, word: bytes) -> Iterator[Manifest]:
        """Yield the objects of the files in which a word stands."""
        for found in self._found:
            if isinstance(found, str) and self._mentions(found, word):
                yield from (one for one in self._scan(found) if isinstance(one, Manifest))

    def _walk(self, path: str) -> Iterator[str | FileError]:
        if path == STDIN or not Path(path).is_dir():
            yield path
            return
        for found in folders.walk(path):
            if isinstance(found, Skipped):
                self.skipped.append(found)
                continue
            if isinstance(found, str):
                self._in_folders.add(found)
            yield found

    def _scan(self, file: str) -> Iterator[Manifest | FileError]:
        try:
            with self._open(file) as stream:
                yield from manifests.scan(_Counted(stream, self), file)
        except OSError as error:
            yield manifests.unreadable(file, error)

    def _mentions(self, file: str, word: bytes) -> bool:
        before = b""
        try:
            with self._open(file) as stream:
                while piece := stream.read(PIECE):
                    if word in before + piece:
                        return True
                    before = piece[-len(word) :]
        except OSError:
            pass  # told when its objects are read
        return False

    @contextmanager
    def _open(self, file: str) -> Iterator[IO[bytes]]:
        """Open a file; what can be read only once (a pipe) is copied the first time."""
        if file != STDIN and (Path(file).is_file() or not Path(file).exists()):
            with Path(file).open("rb") as stream:
                yield stream
            return
        if file not in self._copies:
            self._copies[file] = _rewindable(file)
        self._copies[file].seek(0)
        yield self._copies[file]


class _Counted:
    """A stream whose bytes are counted while they are read."""

    def __init__(self, stream: Readable, inputs: Inputs) -> None:
        self._stream = stream
        self._inputs = inputs

    def read(self, size: int, /) -> bytes:
        """Read on."""
        piece = self._stream.read(size)
        self._inputs.done += len(piece)
        return piece


def _rewindable(file: str) -> IO[bytes]:
    if file == STDIN:
        return sys.stdin.buffer if sys.stdin.seekable() else _copied(sys.stdin.buffer)
    with Path(file).open("rb") as stream:
        return _copied(stream)


def _copied(stream: IO[bytes]) -> IO[bytes]:
    copy = tempfile.SpooledTemporaryFile(max_size=_AT_HAND)  # noqa: SIM115  # it outlives this
    shutil.copyfileobj(stream, copy, PIECE)
    return copy
