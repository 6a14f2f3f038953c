"""JSON objects out of a window: one after the other, and of a List item by item."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from webhook.files.document import Document
from webhook.files.errors import FileError
from webhook.files.loader import MAX_BYTES, MAX_DEPTH, TOO_DEEP
from webhook.files.window import PIECE, Window

Found = tuple[Any, Document] | FileError

_OPEN = re.compile(r"\s*\{")
_KEY = re.compile(r'\s*+"((?:[^"\\]++|\\.)*+)"\s*+:\s*+')
_MARK = re.compile(r"\s*([,\]}])\s*")
_BLANK = re.compile(r"\s*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST = 16  # of the tokens that look wrong when the text ends inside them


class BrokenError(ValueError):
    """What stands at an index of the window's text cannot be read as JSON."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class _CutShortError(Exception):
    """The text at hand ends too early."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A List up to its items: the index behind the bracket, and what each item is called there."""

    end: int
    named: dict[str, str]


class Reader:
    """Reads the object that stands at a window's place; the window moves behind it."""

    def __init__(self, window: Window, file: str) -> None:
        self._window = window
        self._file = file
        self._twice = False
        self._decoder = json.JSONDecoder(object_pairs_hook=self._members, parse_constant=_refuse)

    def objects(self) -> Iterator[Found]:
        """Yield the object, or the items of a List. Raises BrokenError."""
        while True:
            head = self._list_head()
            if head is not None:
                yield from self._items(head)
                return
            try:
                value, end = self._decoded(self._window.at)
            except _CutShortError:
                self._read_on()
            else:
                yield self._found(value, end)
                return

    def _list_head(self) -> _Head | None:
        """Return how a List begins; None for every other object, or where too little is at hand."""
        text = self._window.text
        members: dict[str, Any] = {}
        opened = _OPEN.match(text, self._window.at)
        index = opened.end() if opened else len(text)
        try:
            while key := _KEY.match(text, index):
                if key[1] == "items" and text.startswith("[", key.end()):
                    return _Head(key.end() + 1, named(members)) if self._is_list(members) else None
                members[key[1]], index = self._decoded(key.end())
                comma = _MARK.match(text, index)
                if comma is None or comma[1] != ",":
                    return None
                index = comma.end()
        except (BrokenError, _CutShortError):
            pass
        return None

    def _is_list(self, members: dict[str, Any]) -> bool:
        """Tell whether an object with `items` is a List; kubectl writes the kind behind them."""
        if "kind" not in members:
            try:
                members, _ = self._decoded(self._window.at)
            except _CutShortError:
                return self._window.left >= PIECE  # nothing else is as long
            except BrokenError:
                return True  # the items in front of the fault can be read
        return str(members.get("kind")).endswith("List")

    def _items(self, head: _Head) -> Iterator[Found]:
        self._window.advance(head.end)
        if self._next() == "]":
            self._expect("]")
        else:
            mark = ","
            while mark == ",":
                self._next()
                value, end = self._complete()
                if isinstance(value, dict):
                    value = head.named | value
                yield self._found(value, end)
                mark = self._expect(",]")
        while self._expect(",}") == ",":
            self._member()

    def _member(self) -> None:
        """Pass over a key and its value."""
        for mark in (":", ""):
            self._next()
            _, end = self._complete()
            self._window.advance(end)
            if mark:
                self._expect(mark)

    def _next(self) -> str:
        """Move on to the next character that is no blank, and return it; nothing at the end."""
        window = self._window
        while True:
            found = _BLANK.match(window.text, window.at)
            window.advance(found.end() if found else window.at)
            if window.left or not window.more():
                return window.text[window.at : window.at + 1]

    def _expect(self, marks: str) -> str:
        """Move behind one of the marks, and return it."""
        found = self._next()
        if not found or found not in marks:
            raise BrokenError(f"not JSON: expecting {' or '.join(marks)}", self._window.at)
        self._window.advance(self._window.at + 1)
        return found

    def _complete(self) -> tuple[Any, int]:
        """Return the value at the place and the index of its end, reading on as far as it goes."""
        while True:
            try:
                return self._decoded(self._window.at)
            except _CutShortError:
                self._read_on()

    def _decoded(self, index: int) -> tuple[Any, int]:
        """Return a value in the text at hand, and the index of its end."""
        text = self._window.text
        self._twice = False
        try:
            return self._decoder.raw_decode(text, index)
        except json.JSONDecodeError as error:
            near_end = len(text) - error.pos < _LONGEST or error.msg.startswith("Unterminated")
            if near_end and not self._window.ended:
                raise _CutShortError from None
            raise BrokenError(
                f"not JSON: {error.msg[0].lower()}{error.msg[1:]}", error.pos
            ) from None
        except BrokenError as error:
            raise BrokenError(str(error), index) from None
        except RecursionError:
            raise BrokenError(TOO_DEEP, index) from None
        except ValueError:  # what Python reads of digits ends at 4,300
            raise BrokenError("a number of over 4,300 digits", index) from None

    def _read_on(self) -> None:
        window = self._window
        if window.left > MAX_BYTES:
            raise BrokenError(f"an object of over {MAX_BYTES} bytes", window.at)
        window.more()

    def _found(self, value: Any, end: int) -> Found:
        """Return a value with its text, or what is wrong with it, and move behind it."""
        window = self._window
        document = Document.taken(window, end, self._file)
        try:
            document.check_text()
            if self._twice:
                list(document.values())
            _check(value, document)
        except FileError as error:
            return error
        return value, document.read_as()

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            self._twice = True
        return members


def named(members: dict[str, Any]) -> dict[str, str]:
    """Return what the items of a typed list leave out, as the API server writes it."""
    kind = str(members.get("kind") or "List").removesuffix("List")
    return {"apiVersion": str(members.get("apiVersion")), "kind": kind} if kind else {}


def _check(value: Any, document: Document) -> None:
    """Refuse half a character, and what is nested too deep to be walked through."""
    text = document.text
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            document.refuse("half a surrogate pair in a string", fix="write the character itself")
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deep(value):
        document.refuse(TOO_DEEP)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return bool(level)


def _refuse(name: str) -> NoReturn:
    raise BrokenError(f"not JSON: {name} stands for no value", 0)
