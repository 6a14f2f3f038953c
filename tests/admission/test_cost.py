"""What a user writes costs time in proportion to its size, on every path through the code."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from tests.admission.worst import WORST, Made, sized
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.words import Network

POLICY = parse.for_network(Network.BGP)
SMALL, LARGE = 40_000, 160_000
GROWTH = 7.0
"""At most, for four times the bytes: linear is 4, quadratic 16."""


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def seconds(hook: Hook, body: bytes, runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        started = time.process_time()
        exchange.answer(hook, body, POLICY)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("make", WORST.values(), ids=WORST)
def test_four_times_the_bytes_take_about_four_times_as_long(make: Callable[[int], Made]) -> None:
    small, large = sized(make, SMALL), sized(make, LARGE)
    bytes_ratio = len(large) / len(small)
    for hook in Hook:
        for runs in (3, 10, 30):  # another process may have had the core
            growth = seconds(hook, large, runs) / seconds(hook, small, runs)
            if growth <= GROWTH / 4 * bytes_ratio:
                break
        else:
            pytest.fail(
                f"{hook}: {bytes_ratio:.1f} times the bytes take {growth:.1f} times as long"
            )
