from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.conftest import SEED, scaled
from webhook.admission import strict
from webhook.admission.strict import StrictJSONError


def outcome(load: Any, body: bytes) -> Any:
    try:
        return json.dumps(load(body))
    except StrictJSONError:
        return StrictJSONError


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "a key stands twice"),
        (b'{"a":{"b":1,"b" :2}}', "a key stands twice"),
        (b'{"\\u0061":1,"a":2}', "a key stands twice"),
        (b"[" * 100_000, "nested over"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested over"),
        (b"1" * 5000, "over 21 digits"),
        (b'{"a":1234567890123456789012}', "over 21 digits"),
        (b'{"a":0.1234567890123456789012}', "over 21 digits"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "NaN"),
        (b'{"a":1e999}', "out of range"),
        (b'"\\ud800"', "surrogate"),
        (b'{"a":["\\udc00"]}', "surrogate"),
        (b'{"\\ud800":1}', "surrogate"),
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"{", "not JSON at line 1"),
        (b"", "not JSON"),
        (b"{}x", "not JSON"),
    ],
)  # fmt: skip
def test_what_two_parsers_could_read_differently_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(StrictJSONError, match=reason):
        strict.loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":"\\u003cb\\u003e \\u0026"}\n', {"a": "<b> &"}),
        (b' { "a" : [ 1 , 2.5 , -0 , 1e2 ] } ', {"a": [1, 2.5, 0, 100.0]}),
        (b'{"a":"\\"b\\":","b":1}', {"a": '"b":', "b": 1}),
        (b"18446744073709551616", 18446744073709551616),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"[" * 200 + b"]" * 200, json.loads("[" * 200 + "]" * 200)),
        (b'{"a":"[[[{{{"}', {"a": "[[[{{{"}),
    ],
)
def test_what_is_sound_is_read(body: bytes, value: object) -> None:
    found = strict.loads(body)

    assert found == value
    assert json.dumps(found) == json.dumps(value), "the same types too"


SEEDS = [
    b'{"apiVersion":"v1","data":{"a":"b","c":"\\u003cd\\u003e"},"n":[1,2.5,-3,1e5,0,true,null]}',
    b'{"a":{"b":{"c":["x","y",{"z":"\\"k\\":1"}]}},"text":"line\\nend\\\\"}\n',
    b'[{"name":"a","value":"1"},{"name":"b","value":18446744073709551616}]',
]
TOKENS = [b'"a":1,', b'"a" :1,', b',"a":2', b"\\u0061", b"\\u0022:", b'":', b'"', b"{", b"}", b"[", b"]", b" ",
          b"1e400", b"-0", b"1.0", b"00", b"99999999999999999999", b"123456789012345678901", b"NaN", b"\\ud800",
          b" -9223372036854775809", b"0.000012345678901234568", b"1e+20", b"-0.0", b"5e-324", b"\x7f", b"\r",
          b"\\ud83d\\ude00", b"\xff", b"\xe2\x80\xa8", b"<", b"&", b"\\u2028", b"\n", b"\t", b"\\/", b"\\", b"null"]  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    body = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(body) + 1)
        roll = rng.random()
        if roll < 0.6:
            body[at:at] = rng.choice(TOKENS)
        elif roll < 0.8:
            del body[at : at + rng.randint(1, 3)]
        else:
            other = rng.randrange(len(body) + 1)
            body[at:at] = body[other : other + rng.randint(1, 20)]
    return bytes(body)


def test_the_fast_way_agrees_with_the_slow_one_on_everything() -> None:
    rng = random.Random(SEED)  # noqa: S311  # generated cases, nothing secret
    read = 0
    for _ in range(scaled(600_000)):
        body = mutated(rng)
        found = outcome(strict.loads, body)
        assert found == outcome(strict.loads_slowly, body), body
        read += found is not StrictJSONError
    assert read > scaled(600_000) // 20


def test_what_go_writes_needs_no_slow_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(strict, "loads_slowly")

    assert strict.loads(SEEDS[1]) == json.loads(SEEDS[1])
    assert strict.loads(b'{"a":"\\u003cx\\u003e"}\n') == {"a": "<x>"}


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [(b"[", b"", b"]"), (b"[", b"1", b"]"), (b'{"a":', b'"x"', b"}"), (b'{"a":', b"{}", b"}"), (b" [ ", b"[]", b" ] ")],
    ids=["lists", "a number inside", "objects", "an object inside", "with blanks"],
)  # fmt: skip
def test_nesting_is_refused_past_one_depth_by_both_parsers(
    opening: bytes, inner: bytes, closing: bytes
) -> None:
    deepest = 254 - (inner in (b"{}", b"[]"))
    at_the_limit = opening * deepest + inner + closing * deepest
    over_it = opening * (deepest + 1) + inner + closing * (deepest + 1)

    for load in (strict.loads, strict.loads_slowly):
        assert outcome(load, at_the_limit) is not StrictJSONError
        with pytest.raises(StrictJSONError, match="nested over 254 levels"):
            load(over_it)


@pytest.mark.parametrize(
    "body",
    [b"0.000012345678901234568", b'{"a": -9223372036854775809}', b"-0", b"-0.0", b"1.0", b"1", b"1e2", b"1E+20",
     b"100000000000000000000.0", b"99999999999999999999", b"5e-324", b"1e-400", b"1e400", b"[18446744073709551615]",
     b"[-9223372036854775808]", b"1." + b"0" * 80, b"0." + b"0" * 80 + b"1"],
)  # fmt: skip
def test_numbers_have_one_value_and_one_type(body: bytes) -> None:
    assert outcome(strict.loads, body) == outcome(strict.loads_slowly, body)


def test_half_a_pair_is_found_however_deep_it_stands() -> None:
    for body in (
        b'["\\ud800"]',
        b'[["\\uDFFF"]]',
        b'{"a":[{"b":["\\ud800\\ud800"]}]}',
        b'[{"\\udc00":1}]',
    ):
        with pytest.raises(StrictJSONError, match="surrogate"):
            strict.loads(body)


def test_a_hostile_body_is_refused_in_time_that_fits_its_size() -> None:
    size = 1 << 20
    for body in (
        b"[" * size,
        b"[]," * (size // 3),
        b'"' + b"\\" * size,
        b'[{"' * size,
        b"1" * size,
    ):
        with pytest.raises(StrictJSONError):
            strict.loads(body)
