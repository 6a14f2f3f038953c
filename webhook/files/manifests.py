"""Manifests: objects out of files, folders and standard input, each with its place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from webhook.files import loader
from webhook.files.errors import FileError
from webhook.files.scalars import Text

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")

Step = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One Kubernetes object in a file.

    `root` is the document's node and `prefix` leads from it to this object (the items of a List).
    """

    file: str
    object: dict[str, Any]
    root: yaml.Node
    text: Text
    prefix: tuple[Step, ...] = ()

    def locate(
        self, path: tuple[Step, ...], embedded: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """Return line and column of what stands at `path`, or of the nearest parent of it.

        `embedded`: of this line and column inside the text that stands there.
        """
        nodes = find(self.root, (*self.prefix, *path))
        node = nodes[-1]
        whole = len(nodes) == len(self.prefix) + len(path) + 1
        if embedded is None or not whole or not isinstance(node, yaml.ScalarNode):
            return loader.place(node)
        scalar = self.text.scalar(node)
        return scalar.place(scalar.offset(*embedded))

    def line(self, number: int) -> str:
        """Return a line of the file (1-based), without its end."""
        return self.text.line(number)


def expand(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield files: folders are walked, sorted; `-` stands for standard input."""
    for path in paths:
        if path == STDIN or not Path(path).is_dir():
            yield path
        else:
            found = (p for p in Path(path).rglob("*") if p.suffix in _SUFFIXES and p.is_file())
            yield from map(str, sorted(found))


def read_text(file: str) -> str:
    """Return a file's text as it is, line ends and all."""
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise FileError(file, reason, unreadable=True) from None
    if len(raw) > loader.MAX_BYTES:
        raise FileError(file, f"over {loader.MAX_BYTES} bytes", fix="split it")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(file, "not UTF-8 text", line=line, fix="save it as UTF-8") from None


def parse(text: str, file: str) -> Iterator[Manifest]:
    """Yield the objects of a text; a List yields its items."""
    whole = Text(detabbed(text))
    for root in loader.nodes(whole.text, file):
        document = loader.construct(root, file)
        for prefix, obj in _objects(document, root, (), file):
            yield Manifest(file=file, object=obj, root=root, text=whole, prefix=prefix)


def find(root: yaml.Node, path: tuple[Step, ...]) -> list[yaml.Node]:
    """Return the nodes along a path, as far as it leads; merge keys are not followed."""
    found = [root]
    for step in path:
        node = found[-1]
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            child = next((value for key, value in node.value if key.value == step), None)
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            child = node.value[step]
        if child is None:
            return found
        found.append(child)
    return found


def _objects(
    document: Any, root: yaml.Node, prefix: tuple[Step, ...], file: str
) -> Iterator[tuple[tuple[Step, ...], dict[str, Any]]]:
    """Yield the objects of a document, each with its path; a List yields its items."""
    line, column = loader.place(find(root, prefix)[-1])
    if not isinstance(document, dict):
        raise FileError(
            file, "a document is not a Kubernetes object", line=line, column=column,
            fix="start it with apiVersion and kind",
        )  # fmt: skip
    kind = document.get("kind")
    for key in ("apiVersion", "kind"):
        if not isinstance(document.get(key), str) or not document[key]:
            raise FileError(
                file, f"an object has no {key}", line=line, column=column, fix=f"add `{key}:`"
            )
    items = document.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            yield from _objects(item, root, (*prefix, "items", index), file)
        return
    yield prefix, document


def detabbed(text: str) -> str:
    """Return JSON with blanks for the tabs that indent it: YAML, its superset, refuses those.

    One blank a tab keeps all positions. A tab inside a JSON string would be an error anyway.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return text.replace("\t", " ")
    return text
