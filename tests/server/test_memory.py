"""What the largest bodies take of both workers, at once: less than the chart's limit."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.admission import worst
from tests.reviews import review
from tests.server.test_server import until, workers
from tests.serving import ROOT, Server
from webhook.admission import exchange, strict

pytestmark = pytest.mark.serial
MIB = 1024 * 1024
AT_ONCE = 8


def listed(item: bytes, pieces: int) -> bytes:
    """Return a list of one item again and again: as much of it as is decoded."""
    count = min(strict.COST_MAX // pieces, exchange.BODY_MAX // (len(item) + 1)) - 1000
    return b"[" + b",".join([item] * count) + b"]"


LARGEST: dict[str, Callable[[], bytes]] = {
    "escapes": lambda: b'"' + b"\\u003c" * (exchange.BODY_MAX // 6 - 1000) + b'"',
    "wide text": lambda: '"{}\U0001f600"'.format("x" * (exchange.BODY_MAX - 10_000)).encode(),
    "small objects": lambda: listed(b'{"aa":0}', 4),
    "ports": lambda: listed(b'{"containerPort":0,"protocol":"TCP"}', 5),
    "lists": lambda: listed(b"[0]", 2),
    "strings": lambda: listed(b'"abcde"', 1),
    "over the cap": lambda: b'"' + b"x" * 2 * exchange.BODY_MAX + b'"',
}


def sent(marked: bytes) -> bytes:
    text = json.dumps(review(worst.daemonset({"x": "@@"})), separators=(",", ":")).encode()
    return text.replace(b'"@@"', marked)


def field(pid: int, file: str, name: str) -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) // 1024


def processes(server: Server) -> list[int]:
    return [server.process.pid, *workers(server)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--network", "bgp", keeps_log=False) as started:
        yield started


def limit() -> int:
    values = yaml.safe_load((ROOT / "charts/hybrid-guard/values.yaml").read_text())
    text: str = values["server"]["resources"]["limits"]["memory"]
    return int(text.removesuffix("Mi"))


def test_what_is_refused_again_and_again_leaves_nothing_behind(server: Server) -> None:
    def refused(number: int) -> bytes:
        values = [f"v{number}-{index}" for index in range(90_000)]
        words = (f"{number}" * 1000, "Is", *values)
        return json.dumps(review(worst.daemonset(worst.affinity(worst.term(words))))).encode()

    server.review("/mutate", refused(0))
    server.review("/validate", refused(1))
    before = sum(field(pid, "smaps_rollup", "Pss") for pid in processes(server))
    for number in range(30):
        assert server.review("/mutate", refused(number)).status == 200
    after = sum(field(pid, "smaps_rollup", "Pss") for pid in processes(server))

    assert after < before + 32


def test_the_largest_bodies_at_once_stay_in_the_charts_limit_and_are_given_back(
    server: Server,
) -> None:
    server.review("/mutate", review(worst.daemonset({})))
    before = sum(field(pid, "smaps_rollup", "Pss") for pid in processes(server))
    answered: list[Any] = []

    def post(body: bytes) -> None:
        try:
            answered.append(server.review("/mutate", body).status)
        except OSError as error:  # turned away, or too late on a busy machine
            answered.append(error)

    for make in LARGEST.values():
        body = sent(make())
        threads = [threading.Thread(target=post, args=(body,)) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answered.count(200) >= len(LARGEST)
    assert sum(field(pid, "status", "VmHWM") for pid in processes(server)) < limit()
    until(lambda: sum(field(pid, "smaps_rollup", "Pss") for pid in processes(server)) < before + 64)
