"""Put `add` operations into the text of a manifest: what is not added stays byte for byte.

YAML in block and flow style, and JSON, which is flow style. The result is read again and compared
with the object that was planned, so a text this cannot edit is refused and never spoiled.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import yaml

from webhook.files import loader, manifests
from webhook.files.document import Document, Step
from webhook.files.errors import FileError
from webhook.files.manifests import Manifest
from webhook.patch import Add


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What to add to one object of a text: its number there, and what it is to become."""

    index: int
    ops: tuple[Add, ...]
    planned: dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """A piece of text to put in place of `start` to `end` (offsets; equal for an insertion)."""

    start: int
    end: int
    text: str

    def moved(self, by: int) -> Splice:
        """Return the same splice of a text that has so many more characters in front."""
        return Splice(self.start + by, self.end + by, self.text)


def apply(text: str, edits: tuple[Edit, ...], file: str) -> str:
    """Return the text with all edits in it, or raise FileError and change nothing."""
    before = list(manifests.parse(text, file))
    splices = plan(before, edits)
    result = text
    for splice in reversed(splices):
        result = result[: splice.start] + splice.text + result[splice.end :]
    planned = {edit.index: edit.planned for edit in edits}
    wanted = [planned.get(index, manifest.object) for index, manifest in enumerate(before)]
    if [manifest.object for manifest in manifests.parse(result, file)] != wanted:
        line, column = before[edits[0].index].locate(())
        raise FileError(
            file, "this text cannot be edited in place", line=line, column=column,
            fix="write the affinity by hand; `hybrid-guard explain` shows it",
        )  # fmt: skip
    return result


def plan(before: list[Manifest], edits: tuple[Edit, ...]) -> list[Splice]:
    """Return the splices of all edits, in the order of the text."""
    splices = []
    for edit in edits:
        manifest = before[edit.index]
        document = manifest.document
        shared = _shared(document.root)
        for op in edit.ops:
            path = (*manifest.prefix, *op.path)
            along = loader.find(document.root, path[:-1])
            _refuse_shared(document, along, shared)
            splice = _splice(document.text, along[-1], path[-1], op.value)
            splices.append(splice.moved(document.offset))
    return sorted(splices)


def _shared(root: yaml.Node) -> Counter[int]:
    """Count how often each node of a document is referred to; aliases make it more than once."""
    counts: Counter[int] = Counter()
    stack = [root]
    while stack:
        node = stack.pop()
        counts[id(node)] += 1
        if counts[id(node)] > 1:
            continue
        if isinstance(node, yaml.MappingNode):
            stack.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
    return counts


def _refuse_shared(document: Document, along: list[yaml.Node], shared: Counter[int]) -> None:
    for node in along:
        if node is not document.root and shared[id(node)] > 1:
            line, column = document.place(*loader.place(node))
            message = "an alias shares this part, so editing it would change other places too"
            fix = "write the part out where it is used"
            raise FileError(document.file, message, line=line, column=column, fix=fix)


def _splice(text: str, parent: Any, step: Step, value: Any) -> Splice:
    newline = "\r\n" if "\r\n" in text else "\n"
    if isinstance(parent, yaml.SequenceNode):
        if parent.flow_style:
            return _into_flow(text, parent, _json(value))
        return _append_item(text, parent, value, newline)
    for key, old in parent.value:
        if key.value == step:
            start, end = old.start_mark.index, old.end_mark.index
            blank = "" if text[start - 1 : start].isspace() else " "
            return Splice(start, end, blank + _json(value))
    if parent.flow_style:
        return _into_flow(text, parent, f"{json.dumps(step)}: {_json(value)}")
    first = parent.value[0][0].start_mark
    block = _block({step: value}, first.column, newline)
    return Splice(first.index, first.index, block + newline + " " * first.column)


def _append_item(text: str, parent: yaml.SequenceNode, value: Any, newline: str) -> Splice:
    """Put an item behind the last one of a block sequence, in front of comments that follow."""
    dash = text.rfind("-", 0, parent.value[0].start_mark.index)
    column = dash - (max(text.rfind("\n", 0, dash), text.rfind("\r", 0, dash)) + 1)
    end = _end(parent.value[-1])
    stop = text.find("\n", end)
    line_end = len(text) if stop < 0 else stop
    if text[line_end - 1 : line_end] == "\r":
        line_end -= 1
    block = _block([value], column, newline)
    return Splice(line_end, line_end, newline + " " * column + block)


def _into_flow(text: str, parent: yaml.Node, item: str) -> Splice:
    """Put an item behind the last one inside brackets, on a line of its own where those are."""
    if not parent.value:
        start, end = parent.start_mark.index + 1, parent.end_mark.index - 1
        return Splice(start, end, item)
    last = parent.value[-1]
    first_part, last_part = last if isinstance(last, tuple) else (last, last)
    end = _end(last_part)
    start = first_part.start_mark.index
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    own_line = not lead.strip() and text.rfind("\n", 0, start) > parent.start_mark.index
    newline = "\r\n" if "\r\n" in text else "\n"
    return Splice(end, end, f",{newline}{lead}{item}" if own_line else f", {item}")


def _end(node: yaml.Node) -> int:
    """Return the offset behind a node's last character; a block's own mark runs past comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        if isinstance(last, tuple):
            key, value = last
            empty = value.start_mark.index == value.end_mark.index
            node = key if empty else value
        else:
            node = last
    return int(node.end_mark.index)


def _block(value: Any, column: int, newline: str) -> str:
    """Return a value in block style whose first line stands at `column` already."""
    text: str = yaml.safe_dump(value, default_flow_style=False, sort_keys=False, width=1000)
    return (newline + " " * column).join(text.rstrip("\n").split("\n"))


def _json(value: Any) -> str:
    return json.dumps(value)
