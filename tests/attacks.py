"""Texts that make a pattern work: its own pieces again and again, then an end that fails.

The pieces come out of the pattern itself (as Python's parser reads it): a character of every class,
every literal, and what a repeated part matches at its shortest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Make = Callable[[int], str]
_MOST = 7  # pieces that are combined: the pairs of more cost more time than they find
_ENDS = ("", "!")
_SAMPLES = {
    codes.CATEGORY_DIGIT: "0",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_WORD: " ",
}


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, Make]]:
    """Yield a name, and a function from a size to a text, for each way to repeat the pieces."""
    pieces, ends = _pieces(pattern)
    bodies = {one if one == other else one + other for one, other in product(pieces, pieces)}
    for opening, body, end in product(("", *pieces[:2]), sorted(bodies), (*_ENDS, *ends)):
        yield f"{opening!r} + {body!r} * n + {end!r}", _repeating(opening, body, end)


def _repeating(opening: str, body: str, end: str) -> Make:
    return lambda size: opening + body * (size // len(body) + 1) + end


def _pieces(pattern: re.Pattern[Any]) -> tuple[list[str], list[str]]:
    """Return what the pattern is made of, the longest first, and what its classes leave out."""
    source = pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    flags = pattern.flags & ~re.UNICODE if isinstance(source, bytes) else pattern.flags
    tree = _parser.parse(text, flags)
    found = {piece for piece in (_shortest(tree), *_inside(tree)) if piece}
    pieces = sorted(found, key=lambda piece: (-len(piece), piece))
    return pieces[:_MOST], sorted(set(_left_out(tree)))[:2]


def _left_out(tree: Iterable[Any]) -> Iterator[str]:
    """Yield a character that each negated class does not take."""
    for code, value in tree:
        if code is codes.NOT_LITERAL:
            yield chr(value)
        elif code is codes.IN and value[0][0] is codes.NEGATE:
            yield from _samples(codes.IN, value[1:])[:1]
        for part in _parts(code, value):
            yield from _left_out(part)


def _inside(tree: Iterable[Any]) -> Iterator[str]:
    """Yield the literals, classes and repeated parts of a tree."""
    run = ""
    for code, value in tree:
        if code is codes.LITERAL:
            run += chr(value)
            continue
        yield from (run, *_samples(code, value))
        run = ""
        for part in _parts(code, value):
            yield _shortest(part)
            yield from _inside(part)
    yield run


def _parts(code: Any, value: Any) -> list[Any]:
    if code is codes.BRANCH:
        return list(value[1])
    if code is codes.SUBPATTERN:
        return [value[-1]]
    if code is codes.ATOMIC_GROUP:
        return [value]
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [value[2]]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return []


def _samples(code: Any, value: Any) -> list[str]:
    """Return a character for each range of a class, or one outside a negated class."""
    if code is codes.ANY:
        return ["a"]
    if code is codes.NOT_LITERAL:
        return [next(c for c in "a \n" if ord(c) != value)]
    if code is not codes.IN:
        return []
    found = []
    for kind, item in value:
        if kind is codes.NEGATE:
            inside = set().union(*(_samples(codes.IN, [one]) for one in value[1:]))
            return [next(c for c in "aA0 -\n" if c not in inside)]
        if kind is codes.LITERAL:
            found.append(chr(item))
        elif kind is codes.RANGE:
            found.append(chr(item[0]))
        elif kind is codes.CATEGORY:
            found.append(_SAMPLES.get(item, "a"))
    return found


def _shortest(tree: Iterable[Any]) -> str:
    """Return a text that the tree matches, with each repeated part once."""
    text = ""
    for code, value in tree:
        if code is codes.LITERAL:
            text += chr(value)
        elif code is codes.BRANCH:
            text += _shortest(value[1][0])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            continue
        elif inner := _parts(code, value):
            text += "".join(map(_shortest, inner))
        else:
            text += "".join(_samples(code, value)[:1])
    return text
