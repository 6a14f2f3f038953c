"""Turns for large bodies: a bounded line, fair to each source."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from webhook.server.turns import AT_ONCE, RECEIVE_SECONDS, WAITING, WAITING_OF_SOURCE, Turns


@dataclass(eq=False)
class Client:
    """Tells what becomes of it."""

    source: str
    told: list[str] = field(default_factory=list)
    is_proven: bool = True
    loses: Callable[[], None] | None = None

    def begin_turn(self) -> None:
        self.told.append(self.source)

    def lose_turn(self) -> None:
        self.told.append(f"not {self.source}")
        if self.loses:
            self.loses()


def full() -> tuple[Turns, list[Client]]:
    turns, first = Turns(), [Client("first") for _ in range(AT_ONCE)]
    assert [turns.take(client) for client in first] == [True] * AT_ONCE
    assert not turns.take(Client("late"))
    return turns, first


def test_turns_are_given_back() -> None:
    turns, first = full()
    turns.give_back(first[0])
    assert turns.take(Client("a"))
    assert not turns.take(Client("b"))


def test_sources_are_served_in_rotation_however_many_one_of_them_sends() -> None:
    (turns, first), told = full(), list[str]()
    line = [Client(source, told) for source in ("a", "a", "a", "b", "c")]
    assert all(turns.wait(client) for client in line)
    turns.give_back(first[0])
    for client in (line[0], line[3], line[4], line[1]):
        turns.give_back(client)

    assert told == ["a", "b", "c", "a", "a"]


def test_a_source_without_a_valid_review_has_one_place_and_others_sixteen() -> None:
    turns, _ = full()
    assert turns.wait(Client("a", is_proven=False))
    assert not turns.wait(Client("a", is_proven=False))
    assert turns.wait(Client("b", is_proven=False))
    assert [turns.wait(Client("c")) for _ in range(WAITING_OF_SOURCE + 1)] == [
        *[True] * WAITING_OF_SOURCE,
        False,
    ]


def test_the_line_is_bounded() -> None:
    turns, _ = full()
    places = [turns.wait(Client(str(number))) for number in range(WAITING + 9)]
    assert places == [True] * WAITING + [False] * 9


def test_who_leaves_the_line_is_not_called_and_leaves_its_place() -> None:
    turns, first = full()
    gone, stays = Client("a", is_proven=False), Client("a", is_proven=False)
    assert turns.wait(gone)
    turns.leave(gone)
    turns.leave(gone)
    assert turns.wait(stays)
    for client in first:
        turns.give_back(client)

    assert (gone.told, stays.told) == ([], ["a"])
    assert turns.take(Client("b"))


def test_who_sends_slowly_loses_its_turn_where_others_wait() -> None:
    turns, (slow, whole) = full()
    slow.loses = lambda: turns.give_back(slow)
    turns.received(whole)
    later = time.monotonic() + RECEIVE_SECONDS + 1
    turns.hurry(later)
    assert slow.told == [], "nobody waits"

    waits = Client("b")
    assert turns.wait(waits)
    turns.hurry(time.monotonic())
    assert slow.told == [], "it has time"
    turns.hurry(later)
    assert (slow.told, waits.told, whole.told) == (["not first"], ["b"], [])
