"""The text of a file as far as it is needed: bounded memory for a file of any length."""

from __future__ import annotations

import codecs
import io
from typing import Protocol

PIECE = 1024 * 1024  # bytes of a read
_BREAKS = "\x85\u2028\u2029"  # what YAML 1.1 counts as line ends besides \r, \n and \r\n


class Readable(Protocol):
    """Whatever bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; none at the end."""


class Window:
    """The part of a file's text behind the place that was reached.

    `at` is that place in `text`; `line` and `column` (0-based) and `offset` say where it is in the
    file. What is no UTF-8 becomes lone surrogates, for the document it stands in to be refused.
    """

    def __init__(self, stream: Readable) -> None:
        self.text = ""
        self.at = 0
        self.line = 0
        self.column = 0
        self.ended = False
        self._gone = 0
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    @classmethod
    def of(cls, text: str) -> Window:
        """Return a window on a text that is at hand."""
        window = cls(io.BytesIO())
        window.text = text
        window.ended = True
        return window

    @property
    def offset(self) -> int:
        """The characters before `at`."""
        return self._gone + self.at

    @property
    def left(self) -> int:
        """The characters at hand from `at` on."""
        return len(self.text) - self.at

    def more(self) -> bool:
        """Read on, twice what is at hand, and let go of what lies behind; False at the end."""
        if self.ended:
            return False
        piece = self._stream.read(max(PIECE, self.left))
        self.ended = not piece
        decoded = self._decoder.decode(piece, final=self.ended)
        self._gone += self.at
        self.text = self.text[self.at :] + decoded
        self.at = 0
        return True

    def advance(self, to: int) -> None:
        """Move the place on to an index of `text`."""
        passed = breaks(self.text, self.at, to)
        if passed:
            self.line += passed
            self.column = to - _line_start(self.text, self.at, to)
        else:
            self.column += to - self.at
        self.at = to

    def place(self, index: int) -> tuple[int, int]:
        """Return line and column (1-based) of an index of `text` that is not behind `at`."""
        passed = breaks(self.text, self.at, index)
        if passed:
            return self.line + passed + 1, index - _line_start(self.text, self.at, index) + 1
        return self.line + 1, self.column + index - self.at + 1


def breaks(text: str, start: int, end: int) -> int:
    """Count line ends as libyaml does, at the speed of str.count."""
    count = text.count("\n", start, end)
    returns = text.count("\r", start, end)
    if returns:
        count += returns - text.count("\r\n", start, end)
    if not text.isascii():
        count += sum(text.count(char, start, end) for char in _BREAKS)
    return count


def _line_start(text: str, start: int, end: int) -> int:
    chars = "\n\r" if text.isascii() else "\n\r" + _BREAKS
    return max(text.rfind(char, start, end) for char in chars) + 1
