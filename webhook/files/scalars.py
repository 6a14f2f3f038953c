"""Where a character of a decoded YAML scalar stands in the file, through every scalar style.

Folding, indentation, chomping and line ends only add and drop white space, so the characters that
are not white space stand in the same order in both: the n-th of one is the n-th of the other. In
double quotes an escape is one character, in single quotes `''` is.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from itertools import accumulate

import yaml

_BLANK = frozenset(" \t\n\r\x85\u2028\u2029")
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_DOUBLE = re.compile(
    r"\\(?:x(?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})"
    r"|(?P<break>\r\n|[\n\r\x85\u2028\u2029])|(?P<simple>.))|(?P<plain>.)",
    re.DOTALL,
)
_SINGLE = re.compile(r"''|.", re.DOTALL)
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


class Text:
    """A file's text: its lines as libyaml counts them, and its scalars, each indexed once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines: list[str] = []
        self._scalars: dict[int, Scalar] = {}

    def line(self, number: int) -> str:
        """Return a line (1-based) without its end."""
        if not self._lines:
            self._lines = _BREAK.split(self.text)
        return self._lines[number - 1] if number <= len(self._lines) else ""

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        """Return a scalar of this text."""
        start = node.start_mark.index
        if start not in self._scalars:
            self._scalars[start] = Scalar(self.text, node)
        return self._scalars[start]


class Scalar:
    """One scalar of a text, indexed once for any number of questions."""

    def __init__(self, text: str, node: yaml.ScalarNode) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        characters = list(_characters(text, start, end, node.style))
        wanted = [char for char in node.value if char not in _BLANK]
        self._agrees = [char for char, _ in characters] == wanted
        self._value = node.value
        self._start, self._line, self._column = start, node.start_mark.line, node.start_mark.column
        self._at = [at for _, at in characters]
        ends = (at for at, char in enumerate(node.value) if char == "\n")
        self._value_lines = [0, *(end + 1 for end in ends)]
        self._before = list(accumulate((char not in _BLANK for char in node.value), initial=0))
        self._line_starts = [found.end() for found in _BREAK.finditer(text, start, end)]

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a line and column (1-based) of the value."""
        return self._value_lines[line - 1] + column - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (1-based) in the text of an offset into the scalar's value.

        An offset at white space gives the next character that is not, one past the end the place
        after the last. Where text and value do not agree, the scalar's start is all that is known.
        """
        if not self._agrees or not self._at:
            return self._line + 1, self._column + 1
        before = self._before[min(offset, len(self._value))]
        at = self._at[before] if before < len(self._at) else self._at[-1] + 1
        passed = bisect.bisect_right(self._line_starts, at)
        if passed:
            return self._line + passed + 1, at - self._line_starts[passed - 1] + 1
        return self._line + 1, self._column + at - self._start + 1


def _characters(text: str, start: int, end: int, style: str | None) -> Iterator[tuple[str, int]]:
    """Yield the scalar's characters that are not white space, with their offsets in the text."""
    if style == '"':
        yield from _double(text, start + 1, end - 1)
    elif style == "'":
        for found in _SINGLE.finditer(text, start + 1, end - 1):
            if found.group() not in _BLANK:
                yield found.group()[0], found.start()
    else:
        if style in ("|", ">"):
            header = _BREAK.search(text, start, end)
            start = header.end() if header else end
        for at in range(start, end):
            if text[at] not in _BLANK:
                yield text[at], at


def _double(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    for found in _DOUBLE.finditer(text, start, end):
        code = found["x"] or found["u"] or found["U"]
        if code:
            char = chr(int(code, 16))
        elif found["simple"]:
            char = _ESCAPES.get(found["simple"], found["simple"])
        else:
            char = found["plain"] or ""
        if char and char not in _BLANK:
            yield char, found.start()
