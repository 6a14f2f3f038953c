r"""A review made smaller before it is decoded: what nobody judges goes, what is too deep is sealed.

The API server takes objects nested 10,000 deep, and lets anything stand in managedFields. A scan
over the bytes finds brackets only, so it needs neither a stack of calls nor a tree in memory, and
takes as long as the bytes are many (50 MB/s). A part that is left out without being judged becomes
its SHA-256, so two of them still compare as equal exactly if they are so byte for byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

SEAL = "hybrid-guard.io/sealed"
"""The one key of what stands where a part was left out."""
DEPTH_MAX = 250
"""Levels of a whole review that are never sealed; a template stands at the fifth to eighth."""

CUTS_MAX = 1000
"""What is dropped or sealed one by one, at 4 µs and a seal of 92 bytes each."""

_STRING = rb'"(?:[^"\\]++|\\.)*+"'


def _content(inner: bytes) -> bytes:
    return rb'(?:[^"\[\]{}]++|' + _STRING + inner + rb")*+"


def _shallow(levels: int) -> bytes:
    """Return the pattern of a value's content whose containers nest at most so deep."""
    content = _content(b"")
    for _ in range(levels):
        content = _content(rb"|\[" + content + rb"\]|\{" + content + rb"\}")
    return content


_NEXT = re.compile(_content(b"") + rb"([\[{\]}])", re.DOTALL)
_RUN = re.compile(_shallow(3) + rb"([\[{]++|[\]}]++)", re.DOTALL)
_KEY = re.compile(rb'"([^"\\]*)"\s*+:\s*+\Z')
_KEY_MAX = 80  # bytes: no key that is looked for is longer
_BACKSLASH = ord("\\")
_CLOSING = {b"{": b"}", b"[": b"]"}


@dataclass(frozen=True, slots=True)
class _Part:
    """What becomes of the containers in an object, by their keys."""

    members: dict[bytes, _Part | bytes] = field(default_factory=dict)
    others: _Part | bytes | None = None


_DROP, _SEAL = b"null", b""
_METADATA = _Part({b"managedFields": _DROP, b"annotations": _DROP})


class SkimError(ValueError):
    """Bytes that end, or close a bracket, where no JSON does."""


class CutsError(SkimError):
    """There is more to cut than is cut one by one."""

    def __init__(self) -> None:
        super().__init__(f"there are over {CUTS_MAX} parts to cut")


def usual(body: bytes) -> bytes:
    """Return a review without managedFields and status; what nests too deep is sealed.

    Raises CutsError where that is in too many places.
    """
    obj = _Part({b"metadata": _Part({b"managedFields": _DROP}), b"status": _DROP})
    return _skim(body, _review(obj), is_whole=True)


def head(body: bytes, templates: Iterable[tuple[str, ...]], *, is_whole: bool = True) -> bytes:
    """Return a review in which only metadata is readable, and each pod template is one seal.

    `templates` are the paths at which a template may stand. Where there are too many parts beside
    it, each part beside metadata is one seal, or one seal stands for all of them; labels and who
    owns it are read all the same. Where `body` is not whole it may end anywhere in the object; what
    of it has not ended by then is sealed or left out.
    """
    paths = [[step.encode() for step in path] for path in templates]
    spec: dict[bytes, _Part | bytes] = {}
    for path in paths:
        _plant(spec, path)
    for members in (spec, dict[bytes, _Part | bytes]()):
        part = _Part({**members, b"metadata": _METADATA}, others=_SEAL)
        with contextlib.suppress(CutsError):
            return _skim(body, _review(part), is_whole=is_whole)
    return _metadata_alone(body, sorted({path[0] for path in paths}), is_whole=is_whole)


def seal_on(obj: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the seal that stands for what is at `path`, or for what holds it; None without one."""
    value: Any = obj
    for step in path:
        if not isinstance(value, dict) or SEAL in value:
            break
        value = value.get(step)
    return value if isinstance(value, dict) and SEAL in value else None


def is_sealed(value: Any) -> bool:
    """Tell whether a seal stands anywhere in a decoded value."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if SEAL in item:
                return True
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def _metadata_alone(body: bytes, firsts: list[bytes], *, is_whole: bool) -> bytes:
    """Return objects with their metadata, and one seal of the rest at each of `firsts`."""
    pieces, copied = list[bytes](), 0
    for name, start, end in _members(body, _request_at(body)):
        if name not in (b"object", b"oldObject"):
            continue
        stop = len(body) if end is None else end
        pieces += body[copied:start], _resealed(body, start, stop, firsts)
        copied = stop
        if end is None and not is_whole:
            return b"".join((*pieces, b"}}"))
    return b"".join((*pieces, body[copied:]))


def _request_at(body: bytes) -> int:
    root = body.find(b"{")
    found = (start for name, start, _ in _members(body, root) if name == b"request")
    start = next(found, None)
    if start is None:
        raise SkimError("not JSON: there is no request")
    return start


def _resealed(body: bytes, start: int, stop: int, firsts: list[bytes]) -> bytes:
    """Return the object in a span with its metadata, and one seal for all that stands beside it."""
    found = [span for name, *span in _members(body, start) if name == b"metadata"]
    if len(found) != 1 or found[0][1] is None:
        raise SkimError("not JSON: an object has no metadata")  # no API server sends that
    at, end = found[0]
    metadata = _skim(body[at:end], _METADATA, is_whole=True)
    seal = _seal(body[start:at] + body[end:stop])
    sealed = b"".join(b',"%b":%b' % (first, seal) for first in firsts)
    return b'{"metadata":%b%b}' % (metadata, sealed)


def _members(body: bytes, at: int) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield the containers right in the one at `at`: key, start and end, None if it has none."""
    position: int | None = at + 1
    while position is not None and (step := _NEXT.match(body, position)):
        start = step.end() - 1
        if step[1] in b"]}":
            return
        position = _end(body, start)
        yield _key(body, step.start(), start) or b"", start, position


def _review(obj: _Part | bytes) -> _Part:
    return _Part({b"request": _Part({b"object": obj, b"oldObject": obj})})


def _plant(spec: dict[bytes, _Part | bytes], path: list[bytes]) -> None:
    """Let the scan descend to a template, and seal it."""
    for step in path[:-1]:
        known = spec.get(step)
        if not isinstance(known, _Part):
            known = spec[step] = _Part({}, others=_SEAL)
        spec = known.members
    spec.setdefault(path[-1], _SEAL)


class _Copy:
    """The bytes of a body up to where they were looked at, but for what was cut."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._pieces: list[bytes] = []
        self._copied = 0

    def cut(self, start: int, stop: int, instead: bytes) -> None:
        """Put something else in place of a span; a seal of it, if that is nothing."""
        cut = instead or _seal(memoryview(self._body)[start:stop])
        self._pieces += self._body[self._copied : start], cut
        self._copied = stop
        if len(self._pieces) > 2 * CUTS_MAX:
            raise CutsError

    def until(self, end: int, closings: Iterable[bytes] = ()) -> bytes:
        """Return it all, with the bytes up to `end` and what closes the brackets before it."""
        return b"".join((*self._pieces, self._body[self._copied : end], *closings))


def _skim(body: bytes, root: _Part, *, is_whole: bool) -> bytes:
    """Copy the bytes but for what is dropped or sealed; where they end in that, close the rest."""
    copy, position = _Copy(body), 0
    parts, closings = [_Part(others=root)], list[bytes]()
    while step := _NEXT.match(body, position):
        bracket, at = step[1], step.end() - 1
        position = at + 1
        if bracket in b"]}":
            parts.pop()
            if not closings or closings.pop() != bracket:
                raise SkimError("not JSON: a bracket closes what is not open")
            continue
        child = _child(parts[-1], body, step.start(), at)
        if isinstance(child, _Part):
            parts.append(child)
            closings.append(_CLOSING[bracket])
            continue
        end, spans = _cut(body, at, child, DEPTH_MAX - len(closings))
        if end is None and child is None:
            position = step.start()
            break
        for start, stop in spans:
            copy.cut(start, stop, child or _SEAL)
        position = len(body) if end is None else end
        if end is None:
            break
    if not closings:
        return copy.until(len(body))
    if is_whole:
        raise SkimError("not JSON: it ends inside a value")
    return copy.until(position, reversed(closings))


def _cut(
    body: bytes, at: int, child: bytes | None, levels: int
) -> tuple[int | None, list[tuple[int, int]]]:
    """Return where the container at `at` has ended, and what is to be cut of it."""
    if child is None:
        return _walk(body, at, levels)
    end = _end(body, at)
    return end, [(at, len(body) if end is None else end)]


def _child(part: _Part, body: bytes, start: int, at: int) -> _Part | bytes | None:
    """Return what becomes of the container that opens at `at`."""
    key = _key(body, start, at)
    return part.others if key is None else part.members.get(key, part.others)


def _key(body: bytes, start: int, at: int) -> bytes | None:
    """Return the key of the container that opens at `at`, not looked for before `start`.

    None for one with an escape in it, whose last quote but one may be no beginning.
    """
    found = _KEY.search(body, max(start, at - _KEY_MAX), at)
    if found is None:
        return None
    backslashes, before = 0, found.start() - 1
    while before >= start and body[before] == _BACKSLASH:
        backslashes, before = backslashes + 1, before - 1
    return found[1] if backslashes % 2 == 0 else None


def _seal(cut: bytes | memoryview) -> bytes:
    return b'{"%b":"%b"}' % (SEAL.encode(), hashlib.sha256(cut).hexdigest().encode())


def _end(body: bytes, start: int) -> int | None:
    """Return where the container that opens at `start` has ended; None if it does not."""
    return _walk(body, start, len(body))[0]


def _walk(body: bytes, start: int, levels: int) -> tuple[int | None, list[tuple[int, int]]]:
    """Return what `_end` does, and the spans of what nests deeper than `levels` in there."""
    deep: list[tuple[int, int]] = []
    depth, position = 1, start + 1
    while step := _RUN.match(body, position):
        run, first, position = step[1], step.start(1), step.end()
        if run[:1] in b"]}":
            if len(run) >= depth:
                return first + depth, deep
            depth -= len(run)
        elif depth + len(run) <= levels:
            depth += len(run)
        else:
            start = first + levels - depth
            end = _end(body, start)
            if end is None:
                return None, deep
            deep.append((start, end))
            if len(deep) > CUTS_MAX:
                raise CutsError
            depth, position = levels, end
    return None, deep
