"""Hostile documents cost time in proportion to their size, and never a worker."""

from __future__ import annotations

import gc
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import SEED, THOROUGH
from tests.eni import hostile
from tests.eni.samples import conf, judge, raw
from tests.reviews import review
from tests.serving import Server
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.eni import jsontext
from webhook.policy import parse
from webhook.policy.words import Network

BY = parse.for_network(Network.BGP)


def many(shape: str, item: str, size: int) -> str:
    return shape % ",".join(item.replace("#", str(n)) for n in range(size // (len(item) + 5)))


HOSTILE: dict[str, Callable[[int], str]] = {
    "a long text": lambda n: '{"ip_stack":"' + "x" * n + '"}',
    "levels that never close": lambda n: '{"a":' * (n // 5),
    "arrays that never close": lambda n: "[" * n,
    "a whole number of a million digits": lambda n: '{"max_eni":' + "9" * n + "}",
    "a ratio of a million digits": lambda n: '{"eni_cap_ratio":' + "9" * n + "}",
    "one key again and again": lambda n: "{" + ",".join(['"max_eni":1'] * (n // 12)) + "}",
    "each key twice": lambda n: many("{%s}", '"k#":1,"k#":2', n),
    "unknown keys": lambda n: many("{%s}", '"k#":1', n),
    "names of credentials": lambda n: many("{%s}", '"access_#":"s#abc"', n),
    "rate limits": lambda n: many('{"rate_limit":{%s}}', '"k#":0', n),
    "back-offs": lambda n: many('{"backoff_override":{%s}}', '"k#":{}', n),
    "one vSwitch again and again": lambda n: many('{"vswitches":{"cn-hangzhou-g":[%s]}}', '"vsw-1"', n),
    "zones": lambda n: many('{"vswitches":{%s}}', '"z#":null', n),
    "wrong types": lambda n: many('{"vswitches":{%s}}', '"z#":5', n),
    "security groups": lambda n: many('{"security_groups":[%s]}', '"x"', n),
    "parts of a CIDR": lambda n: '{"service_cidr":"' + "10.0.0.1/8," * (n // 11) + '"}',
    "a duration of many parts": lambda n: '{"idle_ip_reclaim_after":"' + "1s" * (n // 2) + '"}',
    "a duration of many digits": lambda n: '{"idle_ip_reclaim_after":"0.' + "1" * n + 's"}',
    "a factor of many digits": lambda n: '{"idle_ip_reclaim_jitter_factor":"' + "1_" * (n // 2) + '"}',
    "templates": lambda n: "{{x " * (n // 4),
    "a template of many braces": lambda n: '{"a":"' + "{{" * (n // 2) + '"}',
    "keys that lead nowhere": lambda n: '"a" ' * (n // 4),
    "blanks": lambda n: '"a"' + " " * n,
    "base64": lambda n: '{"access_key":"' + "TFRB" * (n // 4) + '"}',
    "line breaks": lambda n: "{" + "\n" * n + '"a":1,"a":2}',
    "a factor that is none": lambda n: '{"idle_ip_reclaim_jitter_factor":"' + "1" * n + 'x"}',
    "a long mask": lambda n: '{"service_cidr":"10.0.0.1/' + "0" * n + '8"}',
    "a long zone": lambda n: '{"vswitches":{"cn' + "-1" * (n // 2) + '!":["vsw-1"]}}',
    "sixty long credentials": lambda n: "{" + ",".join(f'"secret{i}":"{i}{"x" * (n // 64)}"' for i in range(60)) + ',"vswitches":{"z":["a"]}}',
    "many plugins' worth of lists": lambda n: many('{"a":[%s]}', "[]", n),
}  # fmt: skip


def body(eni_conf: str, **data: Any) -> bytes:
    metadata = {"name": "eni-config", "namespace": "kube-system"}
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": raw(eni_conf, **data),
    }
    return json.dumps(review(obj)).encode()


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_eight_times_the_text_costs_far_less_than_eight_times_eight(
    make: Callable[[int], str],
) -> None:
    def seconds(size: int) -> float:
        sent = body(make(size))
        best = 99.0
        gc.collect()  # what earlier tests left is not this text's cost
        for _ in range(3):
            started = time.process_time()
            exchange.answer(Hook.VALIDATE, sent, BY)
            best = min(best, time.process_time() - started)
        return best

    small, large = seconds(1 << 16), seconds(1 << 19)
    assert large < 40 * max(small, 0.005), "eight times the text"


def test_no_hostile_document_costs_a_worker() -> None:
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    documents = [make(1 << 20) for make in HOSTILE.values()]
    documents += [deep, many("{%s}", '"k#":1', 50_000 * 11), "{" + '"a":1,' * 50_000 + '"a":1}']
    with Server("--network", "bgp") as server:
        before = server.request("GET", "/readyz").status
        for text in documents:
            answer = server.review("/validate", body(text))
            assert answer.status == 200
            assert answer.json()["response"]["allowed"] is False
        fine = server.review("/validate", body(conf()["eni_conf"]))
        metrics = server.request("GET", "/metrics").body.decode()
        server.stop()
    assert (before, fine.json()["response"]["allowed"]) == (200, True)
    assert not any(
        word in "".join(server.text) for word in ("internal-error", "Traceback", "WORKER TIMEOUT")
    )
    assert "decisions" in metrics or "hybrid_guard" in metrics


def sent(obj: dict[str, Any], way: str) -> bytes:
    """The body of a CREATE, of an UPDATE that adds a key, or of a CREATE of an override."""
    if way == "override":
        obj = {**obj, "metadata": {**obj["metadata"], "name": "pool"}}
    if way != "update":
        return json.dumps(review(obj)).encode()
    new = {**obj, "data": {**obj["data"], "felix_relay_service": "x"}}
    return json.dumps(review(new, "UPDATE", obj)).encode()


def cost(body: bytes, times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.process_time()
        answer, _ = exchange.answer(Hook.VALIDATE, body, BY)
        best = min(best, time.process_time() - started)
    assert len(answer) < 20_000, "an answer is bounded, whatever is asked"
    return best


def slowest(way: str, size: int, count: int, kept: int) -> list[tuple[str, hostile.Make]]:
    """The documents that cost most, of as many drawn out of all as there is time for."""
    found = list(hostile.documents())
    random.Random(SEED).shuffle(found)  # noqa: S311  # texts, not secrets
    costs = [(cost(sent(make(size), way)), name, make) for name, make in found[:count]]
    costs.sort(key=lambda found: -found[0])
    return [(name, make) for _, name, make in costs[:kept]]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", ["create", "update", "override"])
def test_no_document_of_the_search_costs_more_than_in_proportion(way: str) -> None:
    for name, make in slowest(way, 1 << 14, 3_000 if THOROUGH else 200, 8):
        small = max(cost(sent(make(1 << 16), way), 3), 0.002)
        assert cost(sent(make(1 << 18), way), 3) < 2.6**2 * small, name


@pytest.mark.timeout(1200)
def test_memory_is_bounded_by_the_text_and_nothing_is_kept() -> None:
    size = 1 << 20
    for name, make in slowest("create", 1 << 13, 1_000 if THOROUGH else 100, 3):
        body = sent(make(size), "create")
        exchange.answer(Hook.VALIDATE, body, BY)
        gc.collect()
        tracemalloc.start()
        exchange.answer(Hook.VALIDATE, body, BY)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 24 * len(body) + (16 << 20), name
        assert kept < 1 << 18, name


def test_what_has_more_items_than_any_cluster_is_denied_with_its_place() -> None:
    most = jsontext.MAX_ITEMS
    fine = judge(raw('{"a": [' + "0," * (most - 1) + "0]}"))
    over = judge(raw('{"a":\n [' + "0," * most + "0]}"))

    assert not any(finding.rule == "ENI003" for finding in fine)
    assert [(f.rule, f.location.line, f.location.column) for f in over][:1] == [
        ("ENI003", 2, 3 + 2 * most)
    ]
    assert f"over {most} items" in over[0].message


@pytest.mark.parametrize("key", ["eni_conf", "10-terway.conf"])
def test_ten_thousand_levels_are_answered_as_go_answers_them(key: str) -> None:
    deep = '{"type":"terway","eniip_virtual_type":' + "[" * 9_999 + "]" * 9_999 + "}"
    over = deep.replace("[[", "[[[", 1).replace("]]", "]]]", 1)

    for text, deeper in ((deep, False), (over, True)):
        found = judge({**conf(), "disable_network_policy": "false", key: text})
        told = [f for f in found if f.rule == "ENI003"]
        assert [(f.location.line, f.location.column) for f in told] == (
            [(1, 38 + 10_000)] if deeper else []
        )


def test_what_is_told_is_short_however_long_the_values_are() -> None:
    rng = random.Random(SEED)  # noqa: S311
    found = list(hostile.documents())
    for name, make in rng.sample(found, 2_000 if THOROUGH else 150):
        findings = judge(make(20_000)["data"])
        assert len(findings) < 2_000, name
        assert all(len(f"{f} {f.fix}") < 800 for f in findings), name
