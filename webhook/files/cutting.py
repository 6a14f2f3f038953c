"""Where one document of a stream ends and the next begins.

A line that starts with `---` and a blank ends a YAML document wherever it stands, also inside of a
broken one, so what follows can be read all the same.
"""

from __future__ import annotations

import re

from webhook.files.document import Document
from webhook.files.errors import FileError
from webhook.files.loader import MAX_BYTES
from webhook.files.window import Window

_LEADING = re.compile(r"(?:(?:[ \t\ufeff]*+|---[ \t]*+)\r?\n)*+\ufeff?")
_START = re.compile(r"\n(?=---[ \t\r\n]|\{)")
_FILLER = re.compile(r"[ \t]*+(?:#[^\n]*+|\r?\n)")  # a blank line, or a comment
_MARK = "\ufeff"  # of byte order: no editor counts it as a column
_MARKER = "\n---"
_REACH = 8  # characters that tell what a line is
_MOST_BROKEN = 8 * 1024 * 1024


def to_next(window: Window) -> bool:
    """Move on to the first line with something on it; False at the end."""
    while True:
        found = _LEADING.match(window.text, window.at)
        window.advance(found.end() if found else window.at)
        if window.text.startswith(_MARK, window.at - 1):
            window.column = 0
        if window.left >= _REACH or not window.more():
            return window.left > 0


def document(window: Window, file: str) -> Document | FileError:
    """Take the YAML up to the next marker, and move behind it."""
    end = _end(window)
    taken = Document.taken(window, end or window.at, file)
    if end is None:
        broken(window, len(window.text), file)
        line, column = taken.place(1, 1)
        message = f"a document of over {MAX_BYTES} bytes"
        return FileError(file, message, line=line, column=column, fix="split it")
    return taken


def broken(window: Window, index: int, file: str) -> Document:
    """Take what is broken at an index up to where something may begin anew; little of much."""
    ahead = index - window.at
    while True:
        found = _START.search(window.text, window.at + ahead)
        if found or window.ended:
            end = found.end() if found else len(window.text)
            return Document.taken(window, end, file)
        ahead = max(window.left - _REACH, 0)
        if window.left > _MOST_BROKEN:
            window.advance(window.at + ahead)
            ahead = 0
        window.more()


def _end(window: Window) -> int | None:
    """Return the index of the next document's first line; None where it is too far."""
    ahead = 0
    while True:
        index = window.text.find(_MARKER, window.at + ahead)
        after = index + len(_MARKER)
        if index >= 0 and (window.ended or after < len(window.text)):
            end = _before_directives(window, index + 1)
            if window.text[after : after + 1].strip() == "" and end > window.at:
                return end
            ahead = after - window.at
        elif window.ended:
            return len(window.text)
        elif window.left > MAX_BYTES:
            return None
        else:
            ahead = max(window.left - _REACH, 0)
            window.more()


def _before_directives(window: Window, end: int) -> int:
    """Return where the directives of the document that starts at an index begin, read backwards."""
    text, line, first = window.text, end, end
    while line > window.at:
        line = text.rfind("\n", window.at, line - 1) + 1 or window.at
        if text.startswith("%", line):
            first = line
        elif not _FILLER.match(text, line):
            break
    return first
