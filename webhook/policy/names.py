"""Globs for the names of objects, also of those whose name the API server is still to make.

A name that ends in `*` is one to be made of `metadata.generateName`: what stands before the `*`,
cut to 58 characters, and five more (k8s.io/apiserver, pkg/storage/names/generate.go). No name of
an object that exists has a `*` in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import translate

SUFFIX_LENGTH = 5
SUFFIX_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"
PREFIX_MAX = 63 - SUFFIX_LENGTH

_STAR = "*"


@dataclass(frozen=True, slots=True)
class Names:
    """Shell-style globs; a name is meant when one of them matches it."""

    globs: tuple[str, ...]
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the globs."""
        object.__setattr__(self, "_pattern", union(self.globs))

    def fits(self, name: str, *, surely: bool = False) -> bool:
        """Tell whether a name is meant.

        Of one that is still to be made: whether some name is that it may get, or `surely` each.
        """
        if not name.endswith(_STAR):
            return self._pattern.match(name) is not None
        some, every = _Automaton(self.globs).made_of(name[:-1])
        return every if surely else some


def union(globs: Iterable[str]) -> re.Pattern[str]:
    """Compile shell-style globs into one pattern that matches when any of them does.

    Its cost is at most the globs' length times the text's: fnmatch takes each `*` but the last as
    short as it can be, and never back.
    """
    return re.compile("|".join(map(translate, dict.fromkeys(globs))) or r"(?!)")


_State = frozenset[tuple[int, int]]  # which glob, and how many of its tokens are behind


class _Automaton:
    """All globs at once, read character by character."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._tokens = tuple(tuple(_tokens(glob)) for glob in dict.fromkeys(globs))
        self._known: dict[tuple[_State, int], tuple[bool, bool]] = {}

    def made_of(self, prefix: str) -> tuple[bool, bool]:
        """Tell whether a name made of a prefix is matched: for some suffix, for each."""
        state = self._closed((glob, 0) for glob in range(len(self._tokens)))
        for character in prefix[:PREFIX_MAX]:
            state = self._after(state, character)
        return self._outcome(state, SUFFIX_LENGTH)

    def _outcome(self, state: _State, left: int) -> tuple[bool, bool]:
        """Tell the same of a state with so many characters to come."""
        if not state or left == 0 or self._takes_all(state):
            matched = any(at == len(self._tokens[glob]) for glob, at in state)
            return matched, matched
        if (state, left) not in self._known:
            nexts = {self._after(state, character) for character in SUFFIX_CHARACTERS}
            found = [self._outcome(following, left - 1) for following in nexts]
            self._known[state, left] = any(s for s, _ in found), all(e for _, e in found)
        return self._known[state, left]

    def _takes_all(self, state: _State) -> bool:
        """Tell whether a glob is at the `*` it ends with: whatever comes, it matches."""
        ends = ((self._tokens[glob], at) for glob, at in state)
        return any(tokens[at:] == (_STAR,) for tokens, at in ends)

    def _after(self, state: _State, character: str) -> _State:
        moved: set[tuple[int, int]] = set()
        for glob, at in state:
            tokens = self._tokens[glob]
            if at < len(tokens):
                if tokens[at] == _STAR:
                    moved.add((glob, at))
                elif _reads(tokens[at], character):
                    moved.add((glob, at + 1))
        return self._closed(moved)

    def _closed(self, states: Iterable[tuple[int, int]]) -> _State:
        """Add what is reached without reading: a `*` may stand for nothing."""
        closed: set[tuple[int, int]] = set()
        for glob, start in states:
            at, tokens = start, self._tokens[glob]
            closed.add((glob, at))
            while at < len(tokens) and tokens[at] == _STAR:
                at += 1
                closed.add((glob, at))
        return frozenset(closed)


def _tokens(glob: str) -> Iterator[str]:
    """Yield a glob's sets and its other characters one by one; a `[` that nobody closes is one."""
    at, last = 0, glob.rfind("]")
    while at < len(glob):
        end = -1
        if glob[at] == "[" and at < last:
            # A `]` that stands first in a set is a member of it.
            end = glob.find("]", at + (3 if glob.startswith("!", at + 1) else 2))
        yield glob[at : end + 1] if end >= 0 else glob[at]
        at = end + 1 if end >= 0 else at + 1


def _reads(token: str, character: str) -> bool:
    if len(token) == 1:
        return token in ("?", character)
    return re.fullmatch(translate(token), character) is not None
