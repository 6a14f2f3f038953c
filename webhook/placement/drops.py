"""Which node terms and expressions an UPDATE takes away.

`kubectl patch` and a second field manager replace nodeSelectorTerms as a whole, because the list
is atomic: the guard that kept a pod off Windows goes without a word.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import orjson

from webhook.placement import selector
from webhook.placement.selector import TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What one old term lost: its index there, and the expressions that are gone, as text."""

    term: int
    expressions: tuple[str, ...]


_Words = tuple[str, str, frozenset[str]]
_Bag = Counter[_Words]
_WORDS_MAX = 2_000
"""Expressions and values of both sides that are told apart, at 10 µs each."""
_COMPARED = 10_000
"""Expressions compared at most where terms are held against each other, which takes 10 ms."""


def dropped(
    old_spec: dict[str, Any], new_spec: dict[str, Any], *, sent: dict[str, Any] | None = None
) -> tuple[Dropped, ...]:
    """Return what the required terms of `old_spec` have and those of `new_spec` lack.

    Each old term is held against the new term that keeps most of it; a new term is used once, so
    two old terms cannot hide behind one. Order does not count, of terms, expressions or values.
    `sent` is `new_spec` before anything was added to it. Raises ShapeError or BoundError for terms
    that cannot be read.
    """
    if selector.words(old_spec) + selector.words(new_spec) > _WORDS_MAX:
        return _changed(old_spec, (new_spec, sent or new_spec))
    old, new = _terms(old_spec), [bag for _, bag in _terms(new_spec)]
    left = defaultdict[frozenset[tuple[_Words, int]], list[int]](list)
    for j, bag in reversed(list(enumerate(new))):
        left[frozenset(bag.items())].append(j)
    changed = []
    for i, (_, bag) in enumerate(old):
        same = left[frozenset(bag.items())]
        if same:
            same.pop()
        else:
            changed.append(i)
    others = sorted(j for unused in left.values() for j in unused)
    partner = _partners({i: old[i][1] for i in changed}, {j: new[j] for j in others})
    lost = []
    for i in changed:
        index, bag = old[i]
        gone = bag - new[partner[i]] if i in partner else bag
        if gone:
            lost.append(Dropped(term=index, expressions=tuple(map(_text, gone.elements()))))
    return tuple(lost)


def _changed(
    old_spec: dict[str, Any], new_specs: tuple[dict[str, Any], ...]
) -> tuple[Dropped, ...]:
    """Tell how many terms are gone as they were, where there are too many to name."""
    kept = {_written(term) for spec in new_specs for term in selector.raw_terms(spec)}
    old = selector.raw_terms(old_spec)
    gone = [index for index, term in enumerate(old) if term and _written(term) not in kept]
    if not gone:
        return ()
    return (Dropped(term=gone[0], expressions=(f"{len(gone)} of {len(old)}, or parts of them",)),)


def _written(term: Any) -> bytes:
    try:
        return orjson.dumps(term)
    except orjson.JSONEncodeError:  # an integer over 64 bits, in a field that nobody reads
        return repr(term).encode()


def _partners(old: dict[int, _Bag], new: dict[int, _Bag]) -> dict[int, int]:
    """Pair old terms with new ones: those with most in common, or by their order where many."""
    if sum(map(len, old.values())) * len(new) > _COMPARED:
        return dict(zip(old, new, strict=False))
    pairs = sorted(
        ((i, j) for i in old for j in new),
        key=lambda pair: (-_common(old[pair[0]], new[pair[1]]), abs(pair[0] - pair[1]), pair),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in pairs:
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return partner


def _common(old: _Bag, new: _Bag) -> int:
    return (old & new).total()


def _terms(pod_spec: dict[str, Any]) -> list[tuple[int, _Bag]]:
    """Return the non-empty required terms as bags of expressions, with their indices."""
    found = []
    for index, term in enumerate(selector.raw_terms(pod_spec)):
        words = _Bag(
            (key, operator, frozenset(operands))
            for key, operator, operands in selector.raw_expressions(term, (*TERMS, index))
        )
        if words:
            found.append((index, words))
    return found


def _text(words: _Words) -> str:
    key, operator, operands = words
    return selector.in_words(key, operator, tuple(sorted(operands)))
