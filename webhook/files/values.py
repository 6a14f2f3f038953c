"""The values of usual YAML, built from libyaml's events: twice as fast as yaml.load.

Whatever is not plain (tags, merge keys, keys that stand twice or are no strings, aliases in
aliases, depth) raises UnusualError: `loader` reads that with care, and has the words for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs hide it
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from webhook.files.loader import EXPANDED_LEAST, MAX_DEPTH, Loader

Next = Callable[[], Any]

_STRING = "tag:yaml.org,2002:str"
_USUAL = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_RESOLVER = Loader("")


class UnusualError(Exception):
    """This text wants the careful reader."""


def documents(text: str) -> Iterator[tuple[Any, yaml.Mark]]:
    """Yield the value of each document that is not empty, and where it starts."""
    following = _events(text)
    following()
    while type(following()) is DocumentStartEvent:
        first = following()
        value, _ = _value(first, following)
        if value is not None:
            yield value, first.start_mark
        following()


def items(text: str) -> Iterator[tuple[Any, yaml.Mark, yaml.Mark]]:
    """Yield the items of a text that is one List, with the marks they start and end at."""
    following = _events(text)
    following()
    following()
    if type(following()) is not MappingStartEvent:
        raise UnusualError
    seen = set()
    while type(key := following()) is ScalarEvent and key.value not in seen:
        seen.add(key.value)
        first = following()
        if key.value == "items" and type(first) is SequenceStartEvent:
            while type(item := following()) is not SequenceEndEvent:
                value, last = _value(item, following)
                yield value, item.start_mark, last.end_mark
        else:
            _value(first, following)
    following()
    if type(key) is not MappingEndEvent or type(following()) is not StreamEndEvent:
        raise UnusualError


def _events(text: str) -> Next:
    following: Next = CParser(text).get_event
    return following


def _value(event: Any, following: Next) -> tuple[Any, Any]:  # noqa: C901, PLR0912  # calls in here would double its time
    """Return the value that an event begins, and the event that ends it."""
    anchors = _Anchors()
    above: list[Any] = []
    inside: Any = None
    key: str | None = None
    while True:
        kind = type(event)
        value: Any
        if kind is ScalarEvent:
            if event.tag is not None:
                raise UnusualError
            value = _plain(event.value) if event.implicit[0] else event.value
            if event.anchor is not None:
                anchors.put(event.anchor, value)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.tag is not None or len(above) >= MAX_DEPTH:
                raise UnusualError
            value = {} if kind is MappingStartEvent else []
            if event.anchor is not None:
                anchors.open(event.anchor, value)
        elif kind is AliasEvent:
            value = anchors.take(event.anchor, len(above))
        else:  # a mapping or a sequence ends
            if anchors.opened:
                anchors.close(inside)
            if not above:
                return inside, event
            inside, key = above.pop(), None
            event = following()
            continue
        if inside is None:
            if kind is ScalarEvent:
                return value, event
        elif type(inside) is list:
            inside.append(value)
        elif key is not None:
            inside[key] = value
            key = None
        elif type(value) is str and value not in inside:
            key = value
        else:
            raise UnusualError
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            if inside is not None:
                above.append(inside)
            inside, key = value, None
        event = following()


class _Anchors:
    """What has a name in a document. Bounded: no alias inside of what has one, and little of it."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, Any]] = []
        self._named: dict[str, Any] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._taken = 0

    def put(self, name: str, value: Any) -> None:
        """Name a value that is whole."""
        if name in self._named:
            raise UnusualError
        self._named[name] = value

    def open(self, name: str, value: Any) -> None:
        """Name a value that is still to be filled."""
        self.opened.append((name, value))

    def close(self, value: Any) -> None:
        """Hear that a value is whole."""
        name, wanted = self.opened[-1]
        if value is wanted:
            self.opened.pop()
            self.put(name, value)

    def take(self, name: str, depth: int) -> Any:
        """Return what has a name."""
        if self.opened or name not in self._named:
            raise UnusualError
        value = self._named[name]
        if name not in self._sizes:
            self._sizes[name] = _size(value)
        length, levels = self._sizes[name]
        self._taken += length
        if self._taken > EXPANDED_LEAST or depth + levels >= MAX_DEPTH:
            raise UnusualError
        return value


def _size(value: Any) -> tuple[int, int]:
    """Return how many values and characters a value holds, and how deep they stand."""
    level, count, levels = [value], 0, 0
    while level:
        count += len(level) + sum(len(text) for text in level if isinstance(text, str))
        levels += 1
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return count, levels


@lru_cache(maxsize=8192)
def _plain(text: str) -> Any:
    """Return what a scalar without quotes means; few different ones make most of a manifest."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    if tag == _STRING:
        return text
    if tag not in _USUAL:
        raise UnusualError
    try:
        return _RESOLVER.construct_document(yaml.ScalarNode(tag, text))
    except (ValueError, yaml.YAMLError):
        raise UnusualError from None
