"""JSON as Go's decoder takes it, with the place of every key and value.

Go (encoding/json, and apimachinery's util/json over it) accepts duplicate keys, the last of which
counts, refuses NaN, a byte-order mark and raw control characters, turns half a surrogate pair into
U+FFFD, and stops at 10,000 levels. The parser keeps its own stack, so depth costs no recursion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

MAX_DEPTH = 10_000  # encoding/json, scanner.go: maxNestingDepth

Kind = Literal["object", "array", "string", "number", "boolean", "null"]

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})', re.ASCII)
_LITERALS: dict[str, tuple[str, Kind, bool | None]] = {
    "t": ("true", "boolean", True),
    "f": ("false", "boolean", False),
    "n": ("null", "null", None),
}
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)


class JsonError(ValueError):
    """Text that Go would not decode: the offset, its line and column (1-based), and the reason."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        self.offset = offset
        self.line, self.column = position(text, offset)
        self.reason = reason
        super().__init__(f"line {self.line} column {self.column}: {reason}")


@dataclass(frozen=True, slots=True)
class Node:
    """One value and where it stands.

    `value` is a str for strings, the literal text for numbers, True, False or None, a list of
    nodes for arrays, and a list of (key node, value node) in their order for objects.
    """

    kind: Kind
    value: Any
    start: int
    end: int

    def members(self) -> dict[str, Node]:
        """Return an object's members by key; the last of two equal keys counts, as in Go."""
        return {key.value: value for key, value in self.value} if self.kind == "object" else {}


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column (1-based) of an offset."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def parse(text: str) -> Node:
    """Parse a whole text, or raise JsonError."""
    return _Parser(text).run()


class _Parser:
    """A loop with an explicit stack of open containers: (opening offset, items, pending key)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._stack: list[tuple[int, list[Any], list[Node]]] = []

    def run(self) -> Node:
        """Parse the text."""
        if self._text.startswith("\ufeff"):
            raise self._error("it starts with a byte-order mark")
        while True:
            node = self._value()
            if node is None:
                continue
            done = self._place(node)
            if done is not None:
                self._skip()
                if self._at != len(self._text):
                    raise self._error("text follows after the end of the JSON value")
                return done

    def _value(self) -> Node | None:
        """Read a value, or open a container and return None, or its closed node when empty."""
        self._skip()
        char = self._text[self._at : self._at + 1]
        if char and char in "[{":
            return self._open(char)
        if char == '"':
            return self._string()
        if char in _LITERALS:
            word, kind, value = _LITERALS[char]
            if self._text.startswith(word, self._at):
                return self._take(kind, value, len(word))
        number = _NUMBER.match(self._text, self._at)
        if number:
            return self._take("number", number.group(), len(number.group()))
        raise self._error(_unexpected(self._text, self._at, "a value"))

    def _open(self, char: str) -> Node | None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(f"it is nested over {MAX_DEPTH} levels")
        start = self._at
        self._at += 1
        self._skip()
        if self._text[self._at : self._at + 1] == ("]" if char == "[" else "}"):
            self._at += 1
            return Node("array" if char == "[" else "object", [], start, self._at)
        self._stack.append((start, [], []))
        if char == "{":
            self._key()
        return None

    def _key(self) -> None:
        """Read a key and its colon."""
        self._skip()
        if self._text[self._at : self._at + 1] != '"':
            raise self._error(_unexpected(self._text, self._at, "a key in double quotes"))
        key = self._string()
        self._skip()
        if self._text[self._at : self._at + 1] != ":":
            raise self._error(_unexpected(self._text, self._at, "a colon after the key"))
        self._at += 1
        self._stack[-1][2].append(key)

    def _place(self, node: Node) -> Node | None:
        """Put a value into the container it belongs to; return the outermost when it is closed."""
        while self._stack:
            start, items, keys = self._stack[-1]
            is_object = bool(keys)
            items.append((keys.pop(), node) if is_object else node)
            self._skip()
            char = self._text[self._at : self._at + 1]
            if char == ",":
                self._at += 1
                self._after_comma(is_object=is_object)
                return None
            if char != ("}" if is_object else "]"):
                wanted = "a comma or the closing bracket"
                raise self._error(_unexpected(self._text, self._at, wanted))
            self._at += 1
            self._stack.pop()
            node = Node("object" if is_object else "array", items, start, self._at)
        return node

    def _after_comma(self, *, is_object: bool) -> None:
        self._skip()
        if self._text[self._at : self._at + 1] in ("}", "]"):
            raise self._error("a comma stands before the closing bracket")
        if is_object:
            self._key()

    def _string(self) -> Node:
        start = self._at
        self._at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN.match(self._text, self._at)
            if plain:
                parts.append(plain.group())
                self._at = plain.end()
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                return Node("string", "".join(parts), start, self._at)
            if char != "\\":
                reason = "a control character stands in a string" if char else "a string has no end"
                raise self._error(
                    reason if char else f"{reason}: its quote opens here", start=start
                )
            parts.append(self._escape())

    def _escape(self) -> str:
        found = _ESCAPE.match(self._text, self._at)
        if not found:
            raise self._error("a backslash starts no escape that JSON knows")
        self._at = found.end()
        escape = found.group()[1:]
        if escape[0] != "u":
            return _SIMPLE.get(escape, escape)
        code = int(escape[1:], 16)
        if code in _HIGH:
            return self._pair(code)
        return "\ufffd" if code in _LOW else chr(code)

    def _pair(self, high: int) -> str:
        """Return the character of a surrogate pair; half a pair becomes U+FFFD, as in Go."""
        second = _ESCAPE.match(self._text, self._at)
        if second and second.group()[1] == "u":
            low = int(second.group()[2:6], 16)
            if low in _LOW:
                self._at = second.end()
                return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        return "\ufffd"

    def _take(self, kind: Kind, value: Any, length: int) -> Node:
        node = Node(kind, value, self._at, self._at + length)
        self._at = node.end
        return node

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _error(self, reason: str, start: int | None = None) -> JsonError:
        ended = self._at >= len(self._text)
        return JsonError(self._text, start if ended and start is not None else self._at, reason)


_QUOTES = "'\u2018\u2019\u201c\u201d`"


def _unexpected(text: str, at: int, wanted: str) -> str:
    """Say what stands where something else is wanted; a letter or digit may begin a credential."""
    if at >= len(text):
        return f"the text ends where {wanted} is expected"
    if text[at] in _QUOTES:
        return f'{wanted} is expected, found {text[at]}: JSON takes only straight double quotes (")'
    if text.startswith(("//", "/*", "#"), at):
        return f"{wanted} is expected, found a comment: JSON has none"
    if text.startswith(("NaN", "Infinity", "-Infinity"), at):
        return "NaN and Infinity are not JSON"
    if text.startswith("{{", at):
        return "an unrendered template"
    if text[at].isalnum():
        return f"{wanted} is expected, found a bare letter or digit"
    shown = text[at] if text[at].isprintable() else f"U+{ord(text[at]):04X}"
    return f"{wanted} is expected, found {shown}"
