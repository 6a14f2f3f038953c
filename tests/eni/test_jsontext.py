from __future__ import annotations

import functools
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import SEED, scaled
from tests.eni import oracle
from webhook.eni import jsontext
from webhook.eni.jsontext import JsonError, Node


def plain(node: Node) -> Any:
    """What a node says, with numbers as they are written."""
    if node.kind == "object":
        return {key: plain(value) for key, value in node.members().items()}
    if node.kind == "array":
        return [plain(item) for item in node.value]
    return ("number", node.value) if node.kind == "number" else node.value


def read(text: str) -> Any:
    try:
        return plain(jsontext.parse(text))
    except JsonError:
        return JsonError


def read_by_go(texts: list[str]) -> list[Any]:
    """What Go's encoding/json reads in each text; JsonError where it reads nothing."""

    def number(digits: str) -> tuple[str, str]:
        return "number", digits

    loads = functools.partial(json.loads, parse_int=number, parse_float=number)
    said = oracle.ask("json", texts, loads)
    return [JsonError if value is oracle.REFUSED else value for value in said]


NAMED = [
    "", " ", "null", "true", "tru", "nul", "nulll", "True", "-", "-0", "01", "1.", ".5", "1e", "1e+5", "1E-05",
    "+1", "0x1", "1_0", "NaN", "Infinity", "-Infinity", '"', '"a', '"\\', '"\\u', '"\\u12', '"\\x"', "'a'",
    '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800\\udc00"', '"\\ud800\\u0041"', '"\\uD83D\\uDE00"',
    '"\\u0000"', '"\x00"', '"\n"', '"\x7f"', '"\u2028"', '"\\/"', "[", "]", "[]", "[,]", "[1,]", "[1 2]", "[1", "{",
    "}", "{}", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', "{a:1}", "{1:1}", '{"a":1,"a":2}',
    '{"a":{"b":1},"a":{"c":2}}', '{"":1}', '{"a":1}x', '{"a":1} {"a":1}', "\ufeff{}", "{}\ufeff", "\u00a0{}",
    "\f{}", "\v{}", " \t\r\n{} \t\r\n", "//x\n{}", "{/**/}", "\u0661", '"\u00e9"', "1" * 5000, "-" + "9" * 400,
    "1e999999", "[" * 50 + "]" * 50, '{"a":' * 50 + "1" + "}" * 50, '{"a" :\n1\t,\r"b": [ ] }', '{"a":\u201cb\u201d}',
]  # fmt: skip
TOKENS = [
    '"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\t", "0", "1", "-", ".", "e", "E", "+", "t", "true", "false",
    "null", '"a"', '"b":', "\\u", "\\ud83d", "\\ude00", "\\n", "\x01", "\u00e9", "\ufeff", "\u2028", "01", "1.5", "{}",
]  # fmt: skip
SOUND = [
    '{"version":"1","max_pool_size":5,"vswitches":{"cn-hangzhou-g":["vsw-1","vsw-2"]},"a":[true,false,null,-1.5e3]}',
    '{\n  "access_key": "\\u00e9\\ud83d\\ude00 \\"x\\"",\n  "b": {"c": [[], {}, [{"d": 0}]]}\n}\n',
]  # fmt: skip


def mutated(rng: random.Random) -> str:
    text = rng.choice(SOUND)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        if rng.random() < 0.6:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        else:
            text = text[:at] + text[at + rng.randint(1, 4) :]
    return text


def test_every_text_reads_as_go_reads_it() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    texts = [*NAMED, *SOUND, *(mutated(rng) for _ in range(scaled(200_000)))]

    for text, expected in zip(texts, read_by_go(texts), strict=True):
        assert read(text) == expected, text


@pytest.mark.parametrize("shape", ["[", '{"a":'], ids=["arrays", "objects"])
def test_nesting_ends_where_go_ends_it(shape: str) -> None:
    close = "]" if shape == "[" else "}"

    def nested(depth: int) -> str:
        return shape * depth + ("" if shape == "[" else "1") + close * depth

    jsontext.parse(nested(10_000))
    with pytest.raises(JsonError, match="nested over 10000 levels"):
        jsontext.parse(nested(10_001))
    at_the_limit, over_it = read_by_go_or_not([nested(10_000), nested(10_001)])
    assert at_the_limit
    assert not over_it


def read_by_go_or_not(texts: list[str]) -> list[bool]:
    """Whether Go reads each text, without decoding its answer (Python would recurse)."""
    return [value is not oracle.REFUSED for value in oracle.ask("json", texts, str)]


HOSTILE: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "[" * n,
    "a number": lambda n: "1" * n,
    "repeated keys": lambda n: "{" + ",".join(['"a":1'] * (n // 6)) + "}",
    "escapes": lambda n: '"' + "\\n" * (n // 2) + '"',
    "half pairs": lambda n: '"' + "\\ud800" * (n // 6) + '"',
    "an open string": lambda n: '"' + "x" * n,
    "open strings": lambda n: "[" + '"\\"' * (n // 3),
    "blanks": lambda n: " " * n,
    "line breaks": lambda n: "[" + "\n1," * (n // 3) + "x",
    "empty lists": lambda n: "[" + ",".join(["[]"] * (n // 3)) + "]",
    "minus signs": lambda n: "-" * n,
}


@pytest.mark.serial
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_megabyte_takes_time_in_proportion(make: Callable[[int], str]) -> None:
    def seconds(size: int) -> float:
        text = make(size)
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            read_only(text)
            best = min(best, time.process_time() - started)
        return best

    small, large = seconds(1 << 17), seconds(1 << 20)
    assert large < 64 * max(small, 0.0005), "eight times the text, 64 times the work"


def read_only(text: str) -> None:
    try:
        jsontext.parse(text)
    except JsonError:
        return


@pytest.mark.parametrize(
    ("text", "path", "start", "end"),
    [
        ('{"a": [1, {"b": "x"}]}', ("a", 1, "b"), 16, 19),
        ('  {"a": null}', (), 2, 13),
        ('{"a":1,"a": 22}', ("a",), 12, 14),
        ('{"\\u0061": true}', ("a",), 11, 15),
    ],
)
def test_a_node_knows_where_it_stands(
    text: str, path: tuple[str | int, ...], start: int, end: int
) -> None:
    node = jsontext.parse(text)
    for step in path:
        node = node.value[step] if isinstance(step, int) else node.members()[step]

    assert (node.start, node.end) == (start, end)


def test_repeated_keys_are_all_kept_with_their_places() -> None:
    members = jsontext.parse('{"a":1,\n "a":2}').value

    assert [(key.value, key.start, value.value) for key, value in members] == [
        ("a", 1, "1"),
        ("a", 9, "2"),
    ]


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [("", 0, (1, 1)), ("ab", 1, (1, 2)), ("a\nb", 2, (2, 1)), ("a\r\n\nb", 4, (3, 1)), ("é\né", 2, (2, 1))],
)  # fmt: skip
def test_lines_and_columns_count_from_one(text: str, offset: int, place: tuple[int, int]) -> None:
    assert jsontext.position(text, offset) == place


@pytest.mark.parametrize(
    "text", ['{"access_secret": Secret"}', '{"access_secret": 5ecret}', "{Secret"]
)
def test_a_mistake_shows_no_letter_of_what_may_be_a_credential(text: str) -> None:
    with pytest.raises(JsonError) as raised:
        jsontext.parse(text)

    assert "found S" not in raised.value.reason
    assert "found e" not in raised.value.reason
