"""What a set of requirements on one label key leaves over: exact, with a member as witness.

A `Values` is an intersection kept in normal form: may the key be absent, which values are listed
(or which are excluded), and which open integer range a value must lie in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from webhook.placement import labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values a label may have. `listed` None means any value but those in `excluded`.

    `low` and `high` bound an integer exclusively; None for both means the value need not be one.
    """

    absent: bool = True
    listed: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    low: int | None = None
    high: int | None = None

    def admits(self, value: str | None) -> bool:
        """Tell whether a node may have `value` for the key; None stands for an absent key."""
        if value is None:
            return self.absent
        if value in self.excluded or (self.listed is not None and value not in self.listed):
            return False
        if self.low is None and self.high is None:
            return True
        number = labels.integer(value)
        if number is None:
            return False
        return (self.low is None or number > self.low) and (self.high is None or number < self.high)

    def member(self) -> tuple[bool, str | None]:
        """Return (True, a value some node may have, None for absent), or (False, None) if empty.

        Only values that the API server admits count: no node can have another.
        """
        if self.absent:
            return True, None
        for value in self._candidates():
            if labels.is_value(value) and self.admits(value):
                return True, value
        return False, None

    def empty(self) -> bool:
        """Tell whether no node can satisfy this."""
        return not self.member()[0]

    def within(self, other: Values) -> bool:
        """Tell whether what satisfies this satisfies `other`, which bounds no integer."""
        if self.absent and not other.absent:
            return False
        if other.listed is None:
            hits = (value for value in other.excluded if labels.is_value(value))
            return not any(self.admits(value) for value in hits)
        return meet((self, Values(absent=False, excluded=other.listed))).empty()

    def _candidates(self) -> Iterable[str]:
        """Yield enough values to hold a member if there is one, the plainest first."""
        if self.listed is not None:
            return sorted(self.listed)
        if self.low is None and self.high is None:
            return ["true", *(f"value-{n}" for n in range(len(self.excluded) + 1))]
        return self._integers()

    def _integers(self) -> Iterator[str]:
        """Yield integers of the range, zero-padded ones too, one more than are excluded."""
        low = max(-1 if self.low is None else self.low, -1)  # a label value has no sign
        high = labels.INT64_MAX + 1 if self.high is None else self.high
        left = len(self.excluded) + 1
        for number in range(low + 1, high):
            digits = str(number)
            for width in range(len(digits), labels.NAME_MAX + 1):
                yield digits.zfill(width)
                left -= 1
                if not left:
                    return


ANY = Values()
PRESENT = Values(absent=False)
ABSENT = Values(listed=frozenset())


def meet(sets: Sequence[Values]) -> Values:
    """Return the intersection of all; ANY of none. Takes as long as they are large together."""
    if len(sets) == 1:
        return sets[0]
    listed = [found.listed for found in sets if found.listed is not None]
    return Values(
        absent=all(found.absent for found in sets),
        listed=frozenset.intersection(*listed) if listed else None,
        excluded=frozenset().union(*(found.excluded for found in sets)),
        low=max((found.low for found in sets if found.low is not None), default=None),
        high=min((found.high for found in sets if found.high is not None), default=None),
    )


def equals(value: str) -> Values:
    """Return the set of exactly one value."""
    return Values(absent=False, listed=frozenset((value,)))


def one_of(values: Iterable[str]) -> Values:
    """Return the set that `In` describes."""
    return Values(absent=False, listed=frozenset(values))


def none_of(values: Iterable[str]) -> Values:
    """Return the set that `NotIn` describes: an absent key counts as none of them."""
    return Values(excluded=frozenset(values))


def above(number: int) -> Values:
    """Return the set that `Gt` describes."""
    return Values(absent=False, low=number)


def below(number: int) -> Values:
    """Return the set that `Lt` describes."""
    return Values(absent=False, high=number)
