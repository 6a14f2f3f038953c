"""JSON as Go's decoder takes it, with the place of every key and value.

Go (encoding/json, and apimachinery's util/json over it) accepts duplicate keys, the last of which
counts, refuses NaN, a byte-order mark and raw control characters, turns half a surrogate pair into
U+FFFD, and stops at 10,000 levels. The parser keeps its own stack, so depth costs no recursion; it
reads each character once, and stops where a document has more items than any of Terway's.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

MAX_DEPTH = 10_000  # encoding/json, scanner.go: maxNestingDepth
# Values that follow another in their list or object. A whole VPC has some hundred vSwitches, the
# largest eni-config we know 40 values; each costs microseconds in every rule.
MAX_ITEMS = 1_024

Kind = Literal["object", "array", "string", "number", "boolean", "null"]

_BLANK = r"[ \t\r\n]*+"
_PLAIN = r'"[^"\\\x00-\x1f]*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_SPACE = re.compile(_BLANK)
_VALUE = re.compile(rf"{_BLANK}(?:([\[{{])|({_PLAIN})|({_NUMBER})|(true|false|null))", re.ASCII)
_KEY = re.compile(rf"{_BLANK}({_PLAIN}){_BLANK}:", re.ASCII)
_AFTER = re.compile(rf"{_BLANK}([,\]}}])")
_EMPTY = re.compile(rf"{_BLANK}[\]}}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, tuple[Kind, bool | None]] = {
    "true": ("boolean", True),
    "false": ("boolean", False),
    "null": ("null", None),
}
_OPENED, _TEXT, _DIGITS = 1, 2, 3  # the groups of _VALUE
# A string up to its end or its first mistake.
_SOUND = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+', re.ASCII)
_STRINGS = json.JSONDecoder()


class JsonError(ValueError):
    """Text that Go would not decode: the offset, its line and column (1-based), and the reason."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        self.offset = offset
        self.line, self.column = position(text, offset)
        self.reason = reason
        super().__init__(f"line {self.line} column {self.column}: {reason}")


class TooManyItemsError(JsonError):
    """Text with over MAX_ITEMS items, which is not judged; Go might decode it."""


class Node(NamedTuple):
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


def parse(text: str, *, most: int = MAX_ITEMS) -> Node:
    """Parse a whole text of up to `most` items, or raise JsonError."""
    return _Parser(text, most).run()


class _Parser:
    """A loop with an explicit stack of open containers: (opening offset, items, pending key)."""

    def __init__(self, text: str, most: int) -> None:
        self._text = text
        self._most = most
        self._at = 0
        self._items = 1
        self._stack: list[tuple[int, list[Any], list[Node] | None]] = []

    def run(self) -> Node:
        """Parse the text."""
        if self._text.startswith("\ufeff"):
            raise self._error("it starts with a byte-order mark")
        while True:
            node = self._value()
            done = None if node is None else self._place(node)
            if done is not None:
                self._skip()
                if self._at != len(self._text):
                    raise self._error("text follows after the end of the JSON value")
                return done

    def _value(self) -> Node | None:
        """Read a value, or open a container and return None, or its closed node when empty."""
        found = _VALUE.match(self._text, self._at)
        if found is None:
            return self._unusual_value()
        group = found.lastindex or 0
        start, self._at = found.span(group)
        if group == _OPENED:
            return self._open(start)
        if group == _TEXT:
            return Node("string", self._text[start + 1 : self._at - 1], start, self._at)
        literal = found.group(group)
        if group == _DIGITS:
            return Node("number", literal, start, self._at)
        kind, value = _WORDS[literal]
        return Node(kind, value, start, self._at)

    def _unusual_value(self) -> Node:
        """Read a string with escapes, or say what stands here instead of a value."""
        self._skip()
        if self._text.startswith('"', self._at):
            return self._escaped()
        raise self._error(_unexpected(self._text, self._at, "a value"))

    def _open(self, start: int) -> Node | None:
        if len(self._stack) >= MAX_DEPTH:
            self._at = start
            raise self._error(f"it is nested over {MAX_DEPTH} levels")
        is_object = self._text[start] == "{"
        empty = _EMPTY.match(self._text, self._at)
        if empty and self._text[empty.end() - 1] == ("}" if is_object else "]"):
            self._at = empty.end()
            return Node("object" if is_object else "array", [], start, self._at)
        self._stack.append((start, [], [] if is_object else None))
        if is_object:
            self._key()
        return None

    def _key(self) -> None:
        """Read a key and its colon."""
        keys = self._stack[-1][2]
        found = _KEY.match(self._text, self._at)
        if found:
            start, end = found.span(1)
            key, self._at = Node("string", self._text[start + 1 : end - 1], start, end), found.end()
        else:
            key = self._unusual_key()
        if keys is not None:
            keys.append(key)

    def _unusual_key(self) -> Node:
        self._skip()
        if not self._text.startswith('"', self._at):
            raise self._error(_unexpected(self._text, self._at, "a key in double quotes"))
        key = self._escaped()
        self._skip()
        if not self._text.startswith(":", self._at):
            raise self._error(_unexpected(self._text, self._at, "a colon after the key"))
        self._at += 1
        return key

    def _place(self, node: Node) -> Node | None:
        """Put a value into the container it belongs to; return the outermost when it is closed."""
        while self._stack:
            start, items, keys = self._stack[-1]
            items.append(node if keys is None else (keys.pop(), node))
            found = _AFTER.match(self._text, self._at)
            mark = found.group(1) if found else ""
            if found and mark == ",":
                self._at = found.end()
                self._after_comma(is_object=keys is not None)
                return None
            if found is None or mark != ("]" if keys is None else "}"):
                self._skip()
                wanted = "a comma or the closing bracket"
                raise self._error(_unexpected(self._text, self._at, wanted))
            self._at = found.end()
            self._stack.pop()
            node = Node("array" if keys is None else "object", items, start, self._at)
        return node

    def _after_comma(self, *, is_object: bool) -> None:
        self._items += 1
        if self._items > self._most:
            reason = f"it has over {self._most} items, more than any cluster needs: not judged"
            raise TooManyItemsError(self._text, self._at, reason)
        if _EMPTY.match(self._text, self._at):
            self._skip()
            raise self._error("a comma stands before the closing bracket")
        if is_object:
            self._key()

    def _escaped(self) -> Node:
        """Read a string; half a surrogate pair becomes U+FFFD, as in Go."""
        start = self._at
        try:
            value, self._at = _STRINGS.raw_decode(self._text, start)
        except json.JSONDecodeError:
            raise self._string_error() from None
        return Node("string", _SURROGATE.sub("\ufffd", value), start, self._at)

    def _string_error(self) -> JsonError:
        """Say why a string that opens here has no end; the standard library says less."""
        found = _SOUND.match(self._text, self._at)
        end = found.end() if found else self._at
        if end >= len(self._text):
            return self._error("a string has no end: its quote opens here")
        self._at = end
        if self._text[end] == "\\":
            return self._error("a backslash starts no escape that JSON knows")
        return self._error("a control character stands in a string")

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _error(self, reason: str) -> JsonError:
        return JsonError(self._text, self._at, reason)


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
