"""Go's structures as values, and what its JSON decoder makes of a text for one.

The rules of encoding/json (decode.go), which Terway's daemon meets through sigs.k8s.io/json
(exact key case) and its init container directly (case folded): null leaves a scalar as it is and
empties a pointer, list or map; a second equal key is decoded over the first one's value; what has
the wrong type is refused, and decoding goes on to find the next.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from webhook.eni.jsontext import Node

Path = tuple[str | int, ...]
Basic = Literal["string", "int", "float32", "float64", "bool"]
_ZERO: dict[Basic, Any] = {"string": "", "int": 0, "float32": 0.0, "float64": 0.0, "bool": False}
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_INT64 = range(-(1 << 63), 1 << 63)
_LONGEST_KEY = 256  # no key of ours is as long, so what is longer equals none


@dataclass(frozen=True, slots=True)
class Scalar:
    """A Go basic type; `pointer` where null means unset."""

    type: Basic
    pointer: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A Go slice."""

    item: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """A Go map with string keys."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct: its JSON keys."""

    fields: Mapping[str, Shape]
    folded: Mapping[str, str] = field(init=False)
    zeros: Mapping[str, Any] = field(init=False)
    structs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Index the keys for the decoder that ignores case, and note what a new one holds."""
        structs = [name for name, shape in self.fields.items() if isinstance(shape, Struct)]
        object.__setattr__(self, "folded", {folded(name): name for name in self.fields})
        object.__setattr__(self, "structs", tuple(structs))
        zeros = {
            name: None if isinstance(shape, Struct) else _zero(shape)
            for name, shape in self.fields.items()
        }
        object.__setattr__(self, "zeros", zeros)


Shape = Scalar | ListOf | MapOf | Struct

STRING = Scalar("string")
INT = Scalar("int")
FLOAT32 = Scalar("float32")
FLOAT64 = Scalar("float64")
BOOL = Scalar("bool")
OPTIONAL_STRING = Scalar("string", pointer=True)
OPTIONAL_INT = Scalar("int", pointer=True)
OPTIONAL_BOOL = Scalar("bool", pointer=True)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A value that Go refuses: where it is, what is wanted, and the value."""

    path: Path
    wanted: str
    node: Node


@dataclass(slots=True)
class _Slice:
    """A Go slice: its backing array outlives a shorter list that is decoded over it."""

    backing: list[Any] = field(default_factory=list)
    length: int = 0


def folded(key: str) -> str:
    """Return a key as encoding/json compares it with an ASCII name; a very long one as it is."""
    if len(key) > _LONGEST_KEY:
        return key
    return key.lower() if key.isascii() else key.replace("\u017f", "s").lower()


def decode(shape: Shape, node: Node, *, fold: bool = False) -> tuple[Any, list[Mismatch]]:
    """Return a value with every field of the shape, and all that Go would refuse."""
    decoder = _Decoder(fold=fold)
    value = decoder.into(shape, node, _zero(shape), ())
    return _plain(value), decoder.mismatches


def decode_twice(shape: Shape, node: Node) -> tuple[Any, list[Mismatch]]:
    """Return the value of the exact decoder, and all that it or the one that folds would refuse.

    The one that folds meets every mistake that the other meets, and more; it is asked only where a
    key differs from its name by case.
    """
    exact = _Decoder(fold=False)
    value = _plain(exact.into(shape, node, _zero(shape), ()))
    mismatches = decode(shape, node, fold=True)[1] if exact.met_variants else exact.mismatches
    return value, mismatches


def _zero(shape: Shape) -> Any:
    match shape:
        case Scalar():
            return None if shape.pointer else _ZERO[shape.type]
        case Struct():
            value = dict(shape.zeros)
            for name in shape.structs:
                value[name] = _zero(shape.fields[name])
            return value
        case _:
            return None


def _plain(value: Any) -> Any:
    """Return a value with lists for slices."""
    if isinstance(value, _Slice):
        return [_plain(item) for item in value.backing[: value.length]]
    if isinstance(value, dict):
        return {
            key: _plain(item) if isinstance(item, _Slice | dict) else item
            for key, item in value.items()
        }
    return value


class _Decoder:
    """One decoding; the shapes bound its recursion, whatever the document's depth."""

    def __init__(self, *, fold: bool) -> None:
        self._fold = fold
        self.met_variants = False
        self.mismatches: list[Mismatch] = []

    def into(self, shape: Shape, node: Node, was: Any, path: Path) -> Any:
        """Return what a variable of this shape holds after decoding the node over `was`."""
        match shape:
            case Scalar():
                return self._scalar(shape, node, was, path)
            case ListOf():
                return self._list(shape, node, was, path)
            case MapOf():
                return self._map(shape, node, was, path)
            case Struct():
                return self._struct(shape, node, was, path)

    def _scalar(self, shape: Scalar, node: Node, was: Any, path: Path) -> Any:
        if node.kind == "null":
            return None if shape.pointer else was
        value = _basic(shape.type, node)
        if value is None:
            return self._refuse(path, _WANTED[shape.type], node, was)
        return value

    def _list(self, shape: ListOf, node: Node, was: Any, path: Path) -> Any:
        if node.kind == "null":
            return None
        if node.kind != "array":
            return self._refuse(path, f"a list of {_plural(shape.item)}", node, was)
        if not node.value:
            return _Slice()
        kept = was if isinstance(was, _Slice) else _Slice()
        for index, item in enumerate(node.value):
            if index == len(kept.backing):
                kept.backing.append(_zero(shape.item))
            kept.backing[index] = self.into(shape.item, item, kept.backing[index], (*path, index))
        kept.length = len(node.value)
        return kept

    def _map(self, shape: MapOf, node: Node, was: Any, path: Path) -> Any:
        if node.kind == "null":
            return None
        if node.kind != "object":
            return self._refuse(path, f"an object of {_plural(shape.item)}", node, was)
        kept = was if was is not None else {}
        for key, item in node.value:
            place = (*path, key.value)
            kept[key.value] = self.into(shape.item, item, _zero(shape.item), place)
        return kept

    def _struct(self, shape: Struct, node: Node, was: Any, path: Path) -> Any:
        if node.kind == "null":
            return was
        if node.kind != "object":
            return self._refuse(path, "an object", node, was)
        for key, item in node.value:
            name = self._name(shape, key.value)
            if name is not None:
                was[name] = self.into(shape.fields[name], item, was[name], (*path, key.value))
        return was

    def _name(self, shape: Struct, key: str) -> str | None:
        if key in shape.fields:
            return key
        name = shape.folded.get(folded(key))
        self.met_variants |= name is not None
        return name if self._fold else None

    def _refuse(self, path: Path, wanted: str, node: Node, was: Any) -> Any:
        self.mismatches.append(Mismatch(path, wanted, node))
        return was


_WANTED: dict[Basic, str] = {
    "string": "a string",
    "int": "a whole number",
    "float32": "a number",
    "float64": "a number",
    "bool": "true or false",
}


def _plural(shape: Shape) -> str:
    match shape:
        case Scalar("string"):
            return "strings"
        case Scalar("int"):
            return "whole numbers"
        case ListOf():
            return f"lists of {_plural(shape.item)}"
        case _:
            return "objects"


def _basic(wanted: Basic, node: Node) -> Any:
    """Return a literal as the type wanted, or None where Go refuses it."""
    if wanted == "string":
        return node.value if node.kind == "string" else None
    if wanted == "bool":
        return node.value if node.kind == "boolean" else None
    if node.kind != "number":
        return None
    return _integer(node.value) if wanted == "int" else _float(node.value, wanted)


def _integer(literal: str) -> int | None:
    if not _INTEGER.fullmatch(literal):
        return None
    value = int(literal)
    return value if value in _INT64 else None


def _float(literal: str, wanted: Basic) -> float | None:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        return None
    if wanted == "float64":
        return value
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None
    return single


def unknown(shape: Struct, node: Node) -> Iterator[Node]:
    """Yield the keys of an object that the shape does not have, in this very case."""
    if node.kind == "object":
        yield from (key for key, _ in node.value if key.value not in shape.fields)
