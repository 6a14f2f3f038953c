"""YAML through libyaml, as Kubernetes' tools read it: no dates, no tags of Python, no bombs."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs hide it

from webhook.files.errors import FileError

MAX_BYTES = 64 * 1024 * 1024
MAX_NODES = 2_000_000  # after aliases are expanded; a bomb of 400 bytes makes billions
EXPANDED_LEAST, _EXPANDED_MOST = 100_000, 10
"""Characters once aliases are expanded, and times what is written: that is what reading costs."""
MAX_DEPTH = 200
TOO_DEEP = f"nested over {MAX_DEPTH} levels"
_FIX_DEPTH = "close what is open before it; no Kubernetes object nests so deep"
_FIX_ALIAS = "write the values out"

_INTEGER_BITS = 14_000  # 4,200 digits: Python writes no more than 4,300
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Loader(yaml.CSafeLoader):
    """libyaml's safe loader without dates; duplicate and non-string keys are errors."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # yaml's signature
        """Build a mapping; kubectl refuses a key that stands twice, so this does too."""
        own = [(key.value, key) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len({key for key, _ in own}) != len(own):
            self._refuse_twice(own)
        self.flatten_mapping(node)
        mapping = super().construct_mapping(node, deep=deep)
        for key in mapping:
            if not isinstance(key, str):
                mark = node.start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is not a string: put it in quotes", mark
                )
        return mapping

    @staticmethod
    def _refuse_twice(own: list[tuple[str, yaml.ScalarNode]]) -> None:
        seen: set[str] = set()
        for key, node in own:
            if key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key} stands twice in one mapping", node.start_mark
                )
            seen.add(key)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != _TIMESTAMP]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _check(name: str, kind: type[yaml.Node]) -> None:
    """Let what a tag's value cannot be be an error with a place; the library raises anything."""
    tag = f"tag:yaml.org,2002:{name}"
    make = yaml.CSafeLoader.yaml_constructors[tag]

    def construct_tagged(loader: Loader, node: yaml.Node) -> Any:
        try:
            if isinstance(node, kind):
                made = make(loader, node)
                if not isinstance(made, int) or made.bit_length() <= _INTEGER_BITS:
                    return made
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            pass
        raise yaml.constructor.ConstructorError(
            None, None, f"the value is no {name}, as its tag !!{name} says", node.start_mark
        )

    Loader.add_constructor(tag, construct_tagged)


for _name in ("null", "bool", "int", "float", "timestamp", "binary", "str"):
    _check(_name, yaml.ScalarNode)
for _name in ("map", "set"):
    _check(_name, yaml.MappingNode)
for _name in ("seq", "omap", "pairs"):
    _check(_name, yaml.SequenceNode)


class _Places(CParser):
    """Makes nodes for their marks alone: what a scalar means takes half of the time."""

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        """Leave the tag out."""
        return ""

    def descend_resolver(self, _parent: object, _index: object) -> None:
        """Do nothing."""

    def ascend_resolver(self) -> None:
        """Do nothing."""


def nodes(text: str, file: str, *, known: bool = False) -> Iterator[yaml.Node]:
    """Yield the root node of each document of a YAML text; empty documents are left out.

    libyaml's nodes are made by a recursion in C that ends the process where it goes too deep, so
    the depth is looked at before. A text that is `known` was read already: its nodes get no tags.
    """
    loader = _Places(text) if known else Loader(text)
    try:
        if not known:
            _check_depth(text, file)
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not _is_empty(node):
                yield node
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        fix = "delete the character there"
        message = f"not YAML: {error.reason}"
        raise FileError(file, message, line=line, column=column, fix=fix) from None
    except yaml.YAMLError as error:
        raise _located(error, file) from None
    finally:
        loader.dispose()


def _check_depth(text: str, file: str) -> None:
    """Refuse what nests too deep. An error of the text is left to whoever reads it."""
    depth = 0
    events = yaml.parse(text, yaml.CSafeLoader)
    while event := _event(events):
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(event, file, TOO_DEEP, _FIX_DEPTH)
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1


def _event(events: Iterator[yaml.Event]) -> yaml.Event | None:
    try:
        return next(events, None)
    except yaml.YAMLError:
        return None


def construct(node: yaml.Node, file: str) -> Any:
    """Return the plain value of a node, or raise FileError for what Kubernetes would not take."""
    _guard(node, file)
    loader = Loader("")
    try:
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _located(error, file) from None
    except (ValueError, OverflowError, RecursionError) as error:
        line, column = place(node)
        message = f"a value cannot be read ({type(error).__name__})"
        raise FileError(file, message, line=line, column=column) from None
    finally:
        loader.dispose()


def place(node: Any) -> tuple[int, int]:
    """Return line and column (1-based) of a node or event."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def find(root: yaml.Node, path: tuple[str | int, ...]) -> list[yaml.Node]:
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


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULLS


def _guard(root: yaml.Node, file: str) -> None:
    """Refuse a document that expands too far or nests too deep, before it is built."""
    most = max(EXPANDED_LEAST, _EXPANDED_MOST * (root.end_mark.index - root.start_mark.index))
    sizes: dict[int, tuple[int, int]] = {}
    stack: list[tuple[yaml.Node, bool, int]] = [(root, False, 1)]
    open_nodes: set[int] = set()
    while stack:
        node, done, depth = stack.pop()
        leaves, children = _parts(node)
        if done:
            open_nodes.discard(id(node))
            below = [sizes[id(child)] for child in children]
            values = 1 + len(leaves) + sum(size[0] for size in below)
            length = 1 + len(leaves) + sum(map(len, leaves)) + sum(size[1] for size in below)
            sizes[id(node)] = values, length
            if values > MAX_NODES:
                _refuse(node, file, f"its aliases expand to over {MAX_NODES} values", _FIX_ALIAS)
            if length > most:
                message = f"its aliases expand to over {_EXPANDED_MOST} times what is written"
                _refuse(node, file, message, _FIX_ALIAS)
        elif id(node) not in sizes:
            if depth > MAX_DEPTH:
                _refuse(node, file, TOO_DEEP, _FIX_DEPTH)
            if id(node) in open_nodes:
                _refuse(node, file, "an alias stands inside what it names", _FIX_ALIAS)
            open_nodes.add(id(node))
            stack.append((node, True, depth))
            stack.extend((child, False, depth + 1) for child in children)


def _parts(node: yaml.Node) -> tuple[list[str], list[yaml.Node]]:
    """Return the texts of the scalars of a node, and its collections."""
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    else:
        return [node.value], []
    leaves = [part.value for part in parts if isinstance(part, yaml.ScalarNode)]
    if len(leaves) == len(parts):
        return leaves, []
    return leaves, [part for part in parts if not isinstance(part, yaml.ScalarNode)]


def _refuse(node: Any, file: str, message: str, fix: str) -> None:
    line, column = place(node)
    raise FileError(file, message, line=line, column=column, fix=fix)


def _located(error: yaml.YAMLError, file: str) -> FileError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    if problem == "second occurrence":
        problem = "this anchor stands twice in one document"
    unknown = re.search(r"could not determine a constructor for the tag '(.*)'", problem)
    if unknown:
        problem = f"the tag {unknown.group(1)} is not plain YAML"
    if mark is None:
        return FileError(file, f"not YAML: {problem}", fix="correct it there")
    return FileError(
        file,
        f"not YAML: {problem}",
        line=mark.line + 1,
        column=mark.column + 1,
        fix="correct it there; often an indentation or a quote before it",
    )
