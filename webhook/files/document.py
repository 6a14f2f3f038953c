"""One document of a file: its text, and where in the file each part of it stands.

Nodes with positions are made when somebody asks for a place: few documents have anything to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, NoReturn

import yaml

from webhook.files import loader
from webhook.files.errors import FileError
from webhook.files.scalars import Text
from webhook.files.window import Window, breaks

Step = str | int
Path = tuple[Step, ...]


@dataclass(kw_only=True)
class Document:
    """A piece of a file that libyaml can read alone.

    `line`, `column` and `offset` (0-based) say where in the file its first character stands.
    `number`: which of the YAML documents in it this is. `known`: it was read already.
    """

    file: str
    text: str
    line: int = 0
    column: int = 0
    offset: int = 0
    number: int = 0
    known: bool = False

    @classmethod
    def taken(cls, window: Window, end: int, file: str) -> Document:
        """Return the text from a window's place up to an index, and move the window there."""
        taken = cls(
            file=file,
            text=window.text[window.at : end],
            line=window.line,
            column=window.column,
            offset=window.offset,
        )
        window.advance(end)
        return taken

    @cached_property
    def whole(self) -> Text:
        """The text as libyaml takes it."""
        return Text(detabbed(self.text))

    @cached_property
    def root(self) -> yaml.Node:
        """The node of the document. Raises FileError."""
        return next(islice(self.nodes(), self.number, None))

    def nodes(self) -> Iterator[yaml.Node]:
        """Yield a fresh node for each document in the text. Raises FileError."""
        try:
            yield from loader.nodes(self.whole.text, self.file, known=self.known)
        except FileError as error:
            raise self.moved(error) from None

    def values(self) -> Iterator[tuple[Any, tuple[int, int]]]:
        """Build the value of each document in the text with all care, and tell its place.

        Raises FileError.
        """
        for node in self.nodes():
            place = self.place(*loader.place(node))
            try:
                yield loader.construct(node, self.file), place
            except FileError as error:
                raise self.moved(error) from None

    def read_as(self, number: int = 0) -> Document:
        """Return a document of the same text, which was read: the one of this number."""
        return replace(self, number=number, known=True)

    def part(self, start: yaml.Mark, end: yaml.Mark) -> Document:
        """Return what stands between two marks, as deep as it stands there."""
        indent = start.column
        return replace(
            self,
            text=" " * indent + self.text[start.index : end.index],
            line=self.line + start.line,
            column=0,
            known=True,
            offset=self.offset + start.index - indent,
        )

    def locate(self, path: Path, embedded: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return line and column in the file of what stands at `path`, or of its nearest parent.

        `embedded`: of this line and column inside the text that stands there. Raises FileError.
        """
        nodes = loader.find(self.root, path)
        node = nodes[-1]
        if embedded is None or len(nodes) <= len(path) or not isinstance(node, yaml.ScalarNode):
            return self.place(*loader.place(node))
        scalar = self.whole.scalar(node)
        return self.place(*scalar.place(scalar.offset(*embedded)))

    def check_text(self) -> None:
        """Refuse what was no UTF-8. Raises FileError."""
        if self.text.isascii():
            return
        try:
            self.text.encode()
        except UnicodeEncodeError as error:
            line = breaks(self.text, 0, error.start) + 1
            what = FileError(self.file, "not UTF-8 text", line=line, fix="save it as UTF-8")
            raise self.moved(what) from None

    def refuse(self, message: str, *, fix: str | None = None) -> NoReturn:
        """Raise FileError for the whole of it."""
        line, column = self.place(1, 1)
        raise FileError(self.file, message, line=line, column=column, fix=fix)

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Return the line and column (1-based) in the file of those in this text."""
        return line + self.line, column + (self.column if line == 1 else 0)

    def line_at(self, number: int) -> tuple[str, int]:
        """Return what is at hand of a line of the file, and how many characters come before."""
        number -= self.line
        return self.whole.line(number), self.column if number == 1 else 0

    def moved(self, error: FileError) -> FileError:
        """Return an error about this text with its place in the file."""
        line, column = self.place(error.line or 1, error.column or 1)
        return FileError(
            error.file,
            error.message,
            line=line,
            column=column if error.column else None,
            fix=error.fix,
        )


def detabbed(text: str) -> str:
    """Return JSON with blanks for the tabs that indent it: YAML, its superset, refuses those.

    One blank a tab keeps all positions. A tab inside a JSON string would be an error anyway.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return text.replace("\t", " ")
    return text
