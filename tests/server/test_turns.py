"""Turns for large bodies: a bounded line, fair to each source."""

from __future__ import annotations

from collections.abc import Callable

from webhook.server.turns import AT_ONCE, WAITING, WAITING_OF_SOURCE, Turns


def full() -> Turns:
    turns = Turns()
    assert [turns.take() for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]
    return turns


def nothing() -> None:
    """Begin."""


def names(turns: Turns, told: list[str]) -> Callable[[str], bool]:
    """Return what lines up a source whose turn is told by its name."""

    def line_up(source: str) -> bool:
        return turns.wait(source, lambda: told.append(source), is_proven=True)

    return line_up


def test_turns_are_given_back() -> None:
    turns = full()
    turns.give_back()
    assert turns.take()
    assert not turns.take()


def test_sources_are_served_in_rotation_however_many_one_of_them_sends() -> None:
    turns, told = full(), list[str]()
    line_up = names(turns, told)
    assert all(line_up(source) for source in ("a", "a", "a", "b", "c"))
    for _ in range(5):
        turns.give_back()

    assert told == ["a", "b", "c", "a", "a"]


def test_a_source_without_a_valid_review_has_one_place_and_others_sixteen() -> None:
    turns = full()
    assert turns.wait("a", nothing, is_proven=False)
    assert not turns.wait("a", nothing, is_proven=False)
    assert turns.wait("b", nothing, is_proven=False)
    assert [turns.wait("c", nothing, is_proven=True) for _ in range(WAITING_OF_SOURCE + 1)] == [
        *[True] * WAITING_OF_SOURCE,
        False,
    ]


def test_the_line_is_bounded() -> None:
    turns = full()
    places = [turns.wait(str(number), nothing, is_proven=False) for number in range(WAITING + 9)]
    assert places == [True] * WAITING + [False] * 9


def test_who_leaves_the_line_is_not_called_and_leaves_its_place() -> None:
    turns, told = full(), list[str]()

    def begin() -> None:
        told.append("a")

    assert turns.wait("a", begin, is_proven=False)
    turns.leave("a", begin)
    turns.leave("a", begin)
    assert turns.wait("a", lambda: told.append("again"), is_proven=False)
    turns.give_back()
    turns.give_back()

    assert told == ["again"]
    assert turns.take()
