"""Which node terms and expressions an UPDATE takes away.

`kubectl patch` and a second field manager replace nodeSelectorTerms as a whole, because the list
is atomic: the guard that kept a pod off Windows goes without a word.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from webhook.placement import selector
from webhook.placement.selector import TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What one old term lost: its index there, and the expressions that are gone, as text."""

    term: int
    expressions: tuple[str, ...]


_Words = tuple[str, str, frozenset[str]]


def dropped(old_spec: dict[str, Any], new_spec: dict[str, Any]) -> tuple[Dropped, ...]:
    """Return what the required terms of `old_spec` have and those of `new_spec` lack.

    Each old term is held against the new term that keeps most of it; a new term is used once, so
    two old terms cannot hide behind one. Order does not count, of terms, expressions or values.
    """
    old, new = _terms(old_spec), [words for _, words in _terms(new_spec)]
    pairs = sorted(
        ((i, j) for i in range(len(old)) for j in range(len(new))),
        key=lambda pair: (-_common(old[pair[0]][1], new[pair[1]]), abs(pair[0] - pair[1]), pair),
    )
    partner: dict[int, int] = {}
    for i, j in pairs:
        if i not in partner and j not in partner.values():
            partner[i] = j
    lost = []
    for i, (index, words) in enumerate(old):
        kept = new[partner[i]] if i in partner else Counter[_Words]()
        if gone := tuple(_text(word) for word in (words - kept).elements()):
            lost.append(Dropped(term=index, expressions=gone))
    return tuple(lost)


def _common(old: Counter[_Words], new: Counter[_Words]) -> int:
    return (old & new).total()


def _terms(pod_spec: dict[str, Any]) -> list[tuple[int, Counter[_Words]]]:
    """Return the non-empty required terms as bags of expressions, with their indices."""
    selector.parse(pod_spec)  # raises ShapeError for what could not be read below
    found = []
    for index, term in enumerate(selector.raw_terms(pod_spec)):
        words = Counter[_Words](
            (key, operator, frozenset(operands))
            for key, operator, operands in selector.raw_expressions(term, (*TERMS, index))
        )
        if words:
            found.append((index, words))
    return found


def _text(words: _Words) -> str:
    key, operator, operands = words
    return selector.in_words(key, operator, tuple(sorted(operands)))
