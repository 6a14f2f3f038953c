"""eni_conf, merges, CIDRs and durations read as Go reads them; Go itself is asked."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import Any

import pytest

from tests.conftest import SEED, scaled
from tests.eni import oracle
from webhook.eni import fields, golang, jsontext, shapes
from webhook.eni.jsontext import JsonError, Node
from webhook.eni.merge import MergeError, merge

SCALARS = [
    "null", "true", "false", "0", "-0", "5", "-1", "5.0", "5e0", "1.5", "1e400", "3.4e38", "3.5e38", "-4e38",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" * 400,
    '""', '"x"', '"5"', '"true"', '"\\u0041"', '"\\ud800"', '"\u00e9"', "[]", "{}",
]  # fmt: skip
COMPOUND = [
    '["a","b","c"]', '["a",null]', "[null,null,null]", '["a",5]', '[["a"]]', '{"k":"v"}', '{"k":null}', '{"k":5}',
    '{"z":["a","b"]}', '{"z":["a"],"y":null}', '{"z":"a"}', '{"z":["a"],"z":["b","c"]}', '{"k":1,"l":2}',
    '[{"dst":"1.2.3.0/24"}]', '[{"DST":"x"},{"dst":null},{}]', '[{"key":"a","value":"b"},{"Key":"c"}]', "[{}]",
    '{"eni_create":{"Steps":3,"Duration":1000,"Factor":1.5}}', '{"eni_ops":{"steps":3}}', '{"eni_ops":{"Duration":"10s"}}',
    '{"eni_ops":{"Steps":3,"Steps":null},"eni_ops":{"Cap":1}}',
]  # fmt: skip
NOISE = [
    '"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\t", "0", "-", ".", "e", "null", "\ufeff", "\u00e9", "//x\n", "{}",
    "\\u0041", "\x01", "01",
]  # fmt: skip
STRANGE_KEYS = [
    "unknown",
    "",
    "Access_Key",
    "ACCESS_SECRET",
    "\u212aey",
    "acce\u017f\u017f_key",
    "v\\u0073witches",
]


def value(rng: random.Random, depth: int = 0) -> str:
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(SCALARS)
    if kind < 0.9 or depth > 3:
        return rng.choice(COMPOUND)
    if kind < 0.95:
        return "[" + ",".join(value(rng, depth + 1) for _ in range(rng.randint(0, 3))) + "]"
    return document(rng, depth + 1)


def key(rng: random.Random) -> str:
    name = rng.choice([*fields.CONFIG.fields, *STRANGE_KEYS])
    return name.title() if rng.random() < 0.05 else name


def document(rng: random.Random, depth: int = 0) -> str:
    pool = [key(rng) for _ in range(rng.randint(1, 5))]
    pairs = [f'"{rng.choice(pool)}":{value(rng, depth)}' for _ in range(rng.randint(0, 6))]
    return "{" + ",".join(pairs) + "}"


def disturbed(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        at = rng.randrange(len(text) + 1)
        cut = rng.randint(0, 3) if rng.random() < 0.5 else 0
        text = text[:at] + (rng.choice(NOISE) if not cut else "") + text[at + cut :]
    return text


def deep(levels: int) -> str:
    return '{"unknown":' + "[" * levels + "]" * levels + "}"


NAMED = ["null", "[]", '"x"', "5", "", " ", "{}", deep(9_998), deep(9_999), deep(10_001)]


def decoded(root: Node, *, fold: bool) -> Any:
    value, mismatches = shapes.decode(fields.CONFIG, root, fold=fold)
    return None if mismatches else value


def single(number: float) -> float:
    """A number as a Go float32 holds it."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def as_go_prints(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the oracle printed; Go writes a whole float without a point."""
    if value is not None:
        value["kube_client_qps"] = single(value["kube_client_qps"])
        value["eni_cap_ratio"] = float(value["eni_cap_ratio"])
        for entry in (value["backoff_override"] or {}).values():
            entry.update(Factor=float(entry["Factor"]), Jitter=float(entry["Jitter"]))
    return value


def test_every_document_decodes_as_in_go() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    texts = NAMED + [disturbed(rng, document(rng)) for _ in range(scaled(200_000))]
    accepted = 0

    for text, said in zip(texts, oracle.ask("config", texts), strict=True):
        daemon = init = None
        if said is not oracle.REFUSED:
            daemon, init = as_go_prints(said["daemon"]), as_go_prints(said["init"])
        try:
            root = jsontext.parse(text)
        except JsonError:
            assert (daemon, init) == (None, None), text
            continue
        assert decoded(root, fold=False) == daemon, text
        assert decoded(root, fold=True) == init, text
        accepted += daemon is not None
    assert accepted > len(texts) / 20, "too few sound documents to mean anything"


def plain(root: Node) -> Any:
    if root.kind == "object":
        return {key: plain(item) for key, item in root.members().items()}
    if root.kind == "array":
        return [plain(item) for item in root.value]
    return float(root.value) if root.kind == "number" else root.value


def test_every_override_merges_as_in_go() -> None:
    rng = random.Random(SEED)  # noqa: S311
    pairs = [(rng.choice(("null", "[]", "5", "{}")), value(rng)) for _ in range(200)]
    pairs += [
        (disturbed(rng, document(rng)), disturbed(rng, rng.choice((document, value))(rng)))
        for _ in range(scaled(200_000))
    ]
    merged = 0

    for (base, override), said in zip(pairs, oracle.ask("merge", pairs), strict=True):
        try:
            root = merge(jsontext.parse(base), jsontext.parse(override))
        except (JsonError, MergeError):
            assert said is oracle.REFUSED, (base, override)
            continue
        assert said is not oracle.REFUSED, (base, override)
        assert plain(root) == json.loads(json.dumps(said["merged"]), parse_int=float), (
            base,
            override,
        )
        assert decoded(root, fold=False) == as_go_prints(said["daemon"]), (base, override)
        merged += 1
    assert merged > len(pairs) / 4


@pytest.mark.parametrize("levels", [9_999, 10_000])
def test_a_deep_override_merges_without_recursion(levels: int) -> None:
    text = '{"a":' * levels + "{}" + "}" * levels
    if levels == 10_000:
        with pytest.raises(JsonError):
            jsontext.parse(text)
        return
    root = jsontext.parse(text)

    depth, node = 0, merge(root, root)
    while node.value:
        depth, node = depth + 1, node.value[0][1]
    assert depth == levels


CIDRS = [
    "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/8", "10.96.0.1/12", "10.0.0.0/33", "10.0.0.0/032", "10.0.0.0/+8",
    "010.0.0.0/8", "10.0.0/16", "10.0.0.0/255.0.0.0", " 10.0.0.0/8", "10.0.0.0/8 ", "fd00::/112", "fd00::1/112", "::/0",
    "fe80::1%eth0/64", "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/90", "1:2:3:4:5:6:7::/64", "::1:2:3:4:5:6:7:8/64",
    "1::2::3/64", "fd00::/129", "::10.0.0.1/96", "::010.0.0.1/96", "10.0.0.0/8/8", "\u0661.0.0.0/8", "1.2.3.4/\u0661",
    "12345::/16", "FD00::/8", "10.0.0.0/00000000000000000000000000008", "1.2.3.4.5/8", "::1/0128", "0.0.0.0/0",
    "::ffff:10.0.0.1/95", "::ffff:0:0/96", "1:2:3:4:5:6:1.2.3.4/128", "1:2:3:4:5:6:7:1.2.3.4/128",
]  # fmt: skip
DURATIONS = [
    "", "0", "-0", "+0", "60", "60s", "1h30m", "1.5h", ".5s", "5.s", ".s", "1d", "10 s", " 10s", "1us", "1\u00b5s", "1\u03bcs",
    "1ns", "-1.5h", "+5m", "--5m", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns",
    "2562047h47m16.854775807s", "2562048h", "0.9223372036854775807s", "0.3333333333333333333h", "9" * 40 + "h",
    "1.00000000000000000000000000001s", "1S", "1hh", "h", "00000000000000000000000000001s", "1m0", "\u0661s", "1e3s", "1_0s",
]  # fmt: skip
FLOATS = [
    "", "0", "0.1", ".5", "5.", ".", "1e5", "1e", "1e400", "-1e400", "0x1p-2", "0x1", "0x1.8p1", "0x.8p1", "0xp1", "1_0.5",
    "1__0", "_1", "1_", "0x_1p1", "inf", "-Inf", "+infinity", "nan", "-nan", "+nan", "NaN", " 1", "1 ", "1f", "\u0661",
    "1e-400", "0x1p99999", "0x1p-99999", "00.1", "+.5e+1", "1e_5", "0x1p1_0", "1._5", "1_.5", "0_1",
]  # fmt: skip


def variants(rng: random.Random, named: list[str], alphabet: str, count: int) -> list[str]:
    def changed(text: str) -> str:
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(alphabet) + text[at + rng.randint(0, 2) :]
        return text

    return named + [changed(rng.choice(named)) for _ in range(count)]


def test_every_cidr_reads_as_in_go() -> None:
    rng = random.Random(SEED)  # noqa: S311
    texts = variants(rng, CIDRS, "0123456789abcdef.:/:/. %", scaled(200_000))

    for text, said in zip(texts, oracle.ask("cidr", texts), strict=True):
        read = golang.parse_cidr(text)
        found = {"family": read.family, "host_bits": read.host_bits} if read else oracle.REFUSED
        assert found == said, text


def test_every_duration_reads_as_in_go() -> None:
    rng = random.Random(SEED)  # noqa: S311
    texts = variants(rng, DURATIONS, "0123456789.hmsnu\u00b5+- ", scaled(200_000))

    for text, said in zip(texts, oracle.ask("duration", texts), strict=True):
        read = golang.parse_duration(text)
        assert (oracle.REFUSED if read is None else read) == said, text


def test_every_float_reads_as_in_go() -> None:
    rng = random.Random(SEED)  # noqa: S311
    texts = variants(rng, FLOATS, "0123456789.eExXpP_+-infa ", scaled(50_000))

    for text, said in zip(texts, oracle.ask("float", texts), strict=True):
        read = golang.parse_float(text)
        if said is oracle.REFUSED or read is None:
            assert (said, read) == (oracle.REFUSED, None), text
        elif said == "nan":
            assert math.isnan(read), text
        else:
            assert read == float.fromhex(said.replace("+Inf", "inf").replace("-Inf", "-inf")), text
