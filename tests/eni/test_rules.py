from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from tests.admission.writes import judge, policy
from tests.conftest import SEED, scaled
from webhook.admission.review import Hook
from webhook.eni import lint
from webhook.eni.document import Mode
from webhook.findings import Finding, Level, ObjectRef

REF = ObjectRef(api_version="v1", kind="ConfigMap", namespace="kube-system", name="eni-config")
MODES: tuple[Mode, ...] = ("inline", "secret-or-inline")
ID, SECRET = "7Q9ZX8J4VKW3", "9X7QZ4KJ8WV2Q6"


def only(eni_conf: Any, mode: Any = "inline") -> Finding:
    text = eni_conf if isinstance(eni_conf, str) else json.dumps(eni_conf, indent=2)
    (finding,) = lint.lint({"eni_conf": text}, credentials=mode, ref=REF)
    return finding


EMPTY = "ENI020 eni_conf.access_key: this and access_secret are empty; "
NO_OTHER = f"{EMPTY}Terway has no other credential here and cannot create ENIs"
HALF = "; Terway treats half a pair as no credential"


@pytest.mark.parametrize(
    ("conf", "mode", "text", "place"),
    [
        ("  ", "inline", "ENI001 data.eni_conf: is missing or empty; Terway cannot start without it", (None, None)),
        ('{\n  "a": 1,\n}', "inline", "ENI003 eni_conf: line 3 column 1: a comma stands before the closing bracket", (3, 1)),
        ("\n [1]", "inline", "ENI005 eni_conf: must be a JSON object, found an array", (2, 2)),
        ("true", "inline", "ENI005 eni_conf: must be a JSON object, found a boolean", (1, 1)),
        ({"version": "1", "access_key": " "}, "inline", NO_OTHER, (3, 17)),
        ("null", "inline", NO_OTHER, (None, None)),
        ({"ipam_type": "crd"}, "inline", f"{EMPTY}in crd mode Terway's controller needs a pair of its own", (None, None)),
        ({"access_secret": ""}, "secret-or-inline", f"{EMPTY}Secret alibaba-addon-secret must hold both", (None, None)),
        ({"access_key": ID, "access_secret": ""}, "inline",
         f"ENI021 eni_conf.access_secret: is empty although access_key is set{HALF}", (3, 20)),
        ({"access_key": ["x"], "access_secret": SECRET}, "secret-or-inline",
         f"ENI021 eni_conf.access_key: is empty although access_secret is set{HALF}", (2, 17)),
    ],
    ids=["blank", "comma", "array", "boolean", "both blank", "null", "crd", "secret", "half", "other half"],
)  # fmt: skip
def test_each_rule_says_where_what_and_why(
    conf: Any, mode: str, text: str, place: tuple[int | None, int | None]
) -> None:
    finding = only(conf, mode)

    assert str(finding) == text
    assert finding.fix
    assert finding.object == REF
    assert (finding.location.line, finding.location.column) == place
    assert finding.location.pointer == "/data/eni_conf"
    assert len(text) <= 120, "it may become a warning"


def test_errors_come_before_warnings() -> None:
    levels = [
        finding.level
        for mode in MODES
        for finding in lint.lint({"eni_conf": "{}"}, credentials=mode)
    ]

    assert levels == [Level.ERROR, Level.WARNING]


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ('{"access_key":"x","access_key":"","access_secret":""}', True),
        ('{"access_key":"","access_secret":"","access_key":"x","access_secret":"y"}', False),
        ('{"ACCESS_KEY":"x","Access_Secret":"y"}', True),
        ('{"access_key":"\\u0009","access_secret":"\\n "}', True),
        ('{"access_key":true,"access_secret":{"a":1}}', True),
        ('{"nested":{"access_key":"x","access_secret":"y"}}', True),
    ],
    ids=["the last counts", "the last counts here too", "another case", "white space", "other types", "elsewhere"],
)  # fmt: skip
def test_what_counts_as_a_credential(text: str, blank: bool) -> None:  # noqa: FBT001
    found = [finding.rule for finding in lint.lint({"eni_conf": text}, credentials="inline")]

    assert found == (["ENI020"] if blank else [])


def test_fifty_thousand_repeated_keys_take_no_longer_than_different_ones() -> None:
    def seconds(keys: list[str]) -> float:
        text = "{" + ",".join(f'"{key}":""' for key in keys) + "}"
        started = time.process_time()
        assert lint.lint({"eni_conf": text}, credentials="inline")
        return time.process_time() - started

    different = seconds([f"access_{n:05}" for n in range(50_000)])
    assert seconds(["access_key12"] * 50_000) < 4 * different


CONF = json.dumps({"version": "1", "access_key": ID, "access_secret": SECRET}, indent=1)
NOISE = ['"', "'", "\\", "{", "}", "[", "]", ",", ":", "\n", "“", "{{", "//", "\\u12", "\x00", " "]


def broken(rng: random.Random) -> str:
    text = CONF
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(NOISE) + text[at + rng.randint(0, 2) :]
    return text


def test_no_part_of_a_credential_leaves_however_the_text_is_broken() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    pieces = {word[at : at + 3] for word in (ID, SECRET) for at in range(len(word) - 2)}
    by, denied = policy(), 0
    metadata = {"name": "eni-config", "namespace": "kube-system"}
    for _ in range(scaled(20_000)):
        obj = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"eni_conf": broken(rng)},
        }
        answer = judge(Hook.VALIDATE, obj, by=by, uid="u")
        denied += not answer["allowed"]
        assert not any(piece in json.dumps(answer) for piece in pieces), answer
    assert denied > scaled(20_000) // 2
