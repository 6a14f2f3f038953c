"""Manifests: objects out of files and standard input, each with its place.

A file is read document by document, so that its length costs no memory and a broken document
spoils no other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from webhook.files import cutting, jsons, loader, values
from webhook.files.document import Document, Step
from webhook.files.errors import FileError, ForeignError
from webhook.files.window import Readable, Window

STDIN = "-"

_NAMED = ("apiVersion", "kind")
_BRACE = re.compile(r"[ \t]*\{")
_SURELY_JSON = re.compile(r"[ \t]*\{\s*[\"}]")
_LIST = re.compile(r"^kind:[ \t]*[\"']?List\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One Kubernetes object in a file.

    `prefix` leads from the document to this object (the items of a List). `start`: its line and
    column, where they were met on the way.
    """

    object: dict[str, Any]
    document: Document
    prefix: tuple[Step, ...] = ()
    start: tuple[int, int] | None = None

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.document.file

    def locate(
        self, path: tuple[Step, ...], embedded: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """Return line and column of what stands at `path`, or of the nearest parent of it.

        `embedded`: of this line and column inside the text that stands there.
        """
        if self.start and not path and embedded is None:
            return self.start
        try:
            return self.document.locate((*self.prefix, *path), embedded)
        except FileError:  # JSON that is no YAML: half of all emojis
            return self.start or self.document.place(1, 1)

    def line(self, number: int) -> tuple[str, int]:
        """Return what is at hand of a line of the file, and how many characters come before."""
        return self.document.line_at(number)


def scan(stream: Readable, file: str) -> Iterator[Manifest | FileError]:
    """Yield the objects of a file, a List's items one by one, and what is wrong with others."""
    try:
        yield from _scan(Window(stream), file)
    except OSError as error:
        yield unreadable(file, error)


def parse(text: str, file: str) -> Iterator[Manifest]:
    """Yield the objects of a text. Raises FileError at the first that is broken."""
    for found in _scan(Window.of(text), file):
        if isinstance(found, FileError):
            raise found
        yield found


def read_text(file: str) -> str:
    """Return a file's text as it is, line ends and all."""
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise unreadable(file, error) from None
    return decode(raw, file)


def decode(raw: bytes, file: str) -> str:
    """Return what a file holds as text. Raises FileError where it is too long or no UTF-8."""
    if len(raw) > loader.MAX_BYTES:
        raise FileError(file, f"over {loader.MAX_BYTES} bytes", fix="split it")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(file, "not UTF-8 text", line=line, fix="save it as UTF-8") from None


def unreadable(file: str, error: OSError) -> FileError:
    """Return what to say of a file that cannot be looked at."""
    reason = (error.strerror or "it cannot be read").lower()
    return FileError(file, reason, unreadable=True)


def _scan(window: Window, file: str) -> Iterator[Manifest | FileError]:
    while cutting.to_next(window):
        if _BRACE.match(window.text, window.at):
            yield from _json(window, file)
        else:
            yield from _yaml(window, file)


def _yaml(window: Window, file: str) -> Iterator[Manifest | FileError]:
    document = cutting.document(window, file)
    if isinstance(document, FileError):
        yield document
    else:
        yield from _read(document)


def _json(window: Window, file: str) -> Iterator[Manifest | FileError]:
    """Read JSON, or YAML in flow style, which begins alike."""
    before = window.offset
    try:
        for found in jsons.Reader(window, file).objects():
            if isinstance(found, FileError):
                yield found
            else:
                value, document = found
                yield from _objects(value, document, document.place(1, 1))
    except jsons.BrokenError as error:
        whole = window.offset == before
        if whole and not _SURELY_JSON.match(window.text, window.at):
            yield from _yaml(window, file)
        else:
            yield from _broken(window, error, file, whole=whole)


def _broken(
    window: Window, error: jsons.BrokenError, file: str, *, whole: bool
) -> Iterator[Manifest | FileError]:
    """Tell of JSON that is broken; where it is `whole`, YAML may have it."""
    line, column = window.place(error.index)
    document = cutting.broken(window, error.index, file)
    found = list(_read(document)) if whole else []
    if found and not any(isinstance(one, FileError) for one in found):
        yield from found
    else:
        fix = "correct it there; often a comma or a quote before it"
        yield FileError(file, str(error), line=line, column=column, fix=fix)


def _read(document: Document) -> Iterator[Manifest | FileError]:
    """Read YAML: the quick way, and with care what that does not take."""
    done = 0
    try:
        for found in _quick(document):
            yield found
            done += 1
    except (values.UnusualError, yaml.YAMLError, UnicodeEncodeError):
        yield from islice(_careful(document), done, None)


def _quick(document: Document) -> Iterator[Manifest | FileError]:
    if _LIST.search(document.text):
        for value, start, end in values.items(document.text):
            place = document.place(start.line + 1, start.column + 1)
            yield from _objects(value, document.part(start, end), place)
        return
    for number, (value, mark) in enumerate(values.documents(document.text)):
        place = document.place(mark.line + 1, mark.column + 1)
        yield from _objects(value, document.read_as(number), place)


def _careful(document: Document) -> Iterator[Manifest | FileError]:
    try:
        document.check_text()
        for number, (value, place) in enumerate(document.values()):
            yield from _objects(value, document.read_as(number), place)
    except FileError as error:
        yield error


def _objects(
    value: Any, document: Document, start: tuple[int, int] | None, prefix: tuple[Step, ...] = ()
) -> Iterator[Manifest | FileError]:
    """Yield the objects of the value at `prefix` of a document; a List yields its items."""
    if (
        isinstance(value, dict)
        and _is_text(value.get("apiVersion"))
        and _is_text(value.get("kind"))
    ):
        items = value.get("items")
        if not value["kind"].endswith("List") or not isinstance(items, list):
            yield Manifest(object=value, document=document, prefix=prefix, start=start)
            return
        left_out = jsons.named(value)
        for index, item in enumerate(items):
            whole = left_out | item if isinstance(item, dict) else item
            yield from _objects(whole, document, None, (*prefix, "items", index))
    else:
        line, column = start or document.locate(prefix)
        yield _no_object(value, document.file, line, column)


def _no_object(value: Any, file: str, line: int, column: int) -> FileError:
    if not isinstance(value, dict):
        message, fix = "a document is not a Kubernetes object", "start it with apiVersion and kind"
        return ForeignError(file, message, line=line, column=column, fix=fix)
    missing = [key for key in _NAMED if not _is_text(value.get(key))]
    kind = ForeignError if len(missing) == len(_NAMED) else FileError
    fix = f"add `{missing[0]}:`"
    return kind(file, f"an object has no {missing[0]}", line=line, column=column, fix=fix)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
