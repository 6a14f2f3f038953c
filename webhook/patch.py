"""JSON Patch (RFC 6902) with one operation: `add`, planned by hand and proven by applying it.

Never diffed from two objects: a diff addresses list items by index and may move or replace what
it should leave alone.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonpatch
import orjson
from jsonpointer import JsonPointer, JsonPointerException

_REMEMBERED_BYTES = 4096


class PatchError(RuntimeError):
    """Our own patch does not do what was planned: a bug of ours, never the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """One `add` operation; `path` is unescaped, `-` as its last step appends to a list."""

    path: tuple[str | int, ...]
    value: Any

    def under(self, prefix: tuple[str | int, ...]) -> Add:
        """Return the same operation seen from `prefix` levels further out."""
        return Add(path=(*prefix, *self.path), value=self.value)

    def wire(self) -> dict[str, Any]:
        """Return the operation as RFC 6902 JSON."""
        return {"op": "add", "path": pointer(self.path), "value": self.value}


def pointer(path: tuple[str | int, ...]) -> str:
    """Return `path` as a JSON pointer (RFC 6901): `~` and `/` escaped, empty for the root."""
    plain = "/".join(("", *map(str, path)))
    if "~" not in plain and plain.count("/") == len(path):
        return plain  # a fifth of the cost: a patch may have a thousand paths of nine steps
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def steps(text: str) -> tuple[str | int, ...]:
    """Return a JSON pointer as a path; steps of digits alone count as indices."""
    plain = (step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])
    return tuple(int(step) if step.isdecimal() else step for step in plain)


def prove(obj: dict[str, Any], ops: tuple[Add, ...], expected: dict[str, Any]) -> bytes:
    """Return `ops` as a JSON Patch that gives `expected`, proven with an independent library.

    Raises PatchError where it does not.

    The API server refuses a write whose patch does not apply, whatever `failurePolicy` says
    (apiserver, webhook/mutating/dispatcher.go), so a broken patch must never leave the process.
    Whether an `add` applies depends on what its path leads through and on nothing beside it: the
    library gets that part alone, as it copies what it is given (85 µs for a calico-node), and
    what stands beside must be the very same values in both objects.
    """
    before, after = _apart(obj, expected, list({_through_objects(op.path) for op in ops}))
    text = orjson.dumps([op.wire() for op in ops])
    try:
        known = (text, orjson.dumps(before), orjson.dumps(after))
    except orjson.JSONEncodeError:  # an integer over 64 bits, in a field that nobody reads
        _prove(orjson.loads(text), json.loads(json.dumps(before)), after)
        return text
    if sum(map(len, known)) <= _REMEMBERED_BYTES:
        _prove_once(*known)
    else:
        _prove(*map(orjson.loads, known))
    return text


@lru_cache(maxsize=64)
def _prove_once(patch: bytes, before: bytes, after: bytes) -> None:
    """Prove the same few patches that come again and again a single time (50 µs)."""
    _prove(*map(orjson.loads, (patch, before, after)))


class _Given(dict[str, Any]):
    """A value that the library takes as it is: it copies each, a third of its time."""

    def __deepcopy__(self, _memo: object) -> _Given:
        """Return itself: nobody changes it."""
        return self


def _prove(patch: list[dict[str, Any]], before: Any, after: Any) -> None:
    """Let the library apply each operation in place, and compare.

    One by one, and below the path that all share: its whole patches build every operation twice
    and walk from the root for each, three quarters of the time where there are many.
    """
    shared = _shared([operation["path"] for operation in patch])
    try:
        part = JsonPointer(shared).resolve(before)
        for operation in patch:
            operation["path"] = operation["path"].removeprefix(shared)
            if isinstance(operation["value"], dict):
                operation["value"] = _Given(operation["value"])
            jsonpatch.AddOperation(operation).apply(part)
    except (jsonpatch.JsonPatchException, JsonPointerException) as error:
        raise PatchError(f"planned patch does not apply: {error}") from error
    if before != after:
        raise PatchError(_DIFFERS)


def _shared(pointers: list[str]) -> str:
    """Return the pointer of the innermost container that all pointers lead through."""
    first, last = min(pointers).split("/")[:-1], max(pointers).split("/")[:-1]
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "/".join(step for step, _ in same)


def _through_objects(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return a path up to the first list on it: the paths of a thousand terms are one."""
    lists = (at for at, step in enumerate(path) if isinstance(step, int))
    return path[: next(lists, len(path))]


def _apart(one: Any, two: Any, paths: list[tuple[str | int, ...]]) -> tuple[Any, Any]:
    """Return what the paths lead through in both, without what stands beside them in objects.

    Raises PatchError unless that is the very same in both.
    """
    if not isinstance(one, dict) or not isinstance(two, dict) or () in paths:
        return one, two
    before, after = {}, {}
    inner: dict[str | int, list[tuple[str | int, ...]]] = {}
    for path in paths:
        inner.setdefault(path[0], []).append(path[1:])
    beside = 0
    for key, value in one.items():
        if key not in inner:
            beside += 1
            if two.get(key, _ABSENT) is not value:
                raise PatchError(_DIFFERS)
        elif key in two:
            before[key], after[key] = _apart(value, two[key], inner[key])
        else:
            before[key] = value
    for key in inner:
        if key in two and key not in one:
            after[key] = two[key]
    if len(two) != beside + len(after):
        raise PatchError(_DIFFERS)
    return before, after


_ABSENT = object()
_DIFFERS = "planned patch does not give the planned object"
