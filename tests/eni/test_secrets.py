from __future__ import annotations

import json
import random
import time

import pytest

from tests.admission.writes import judge, policy
from tests.conftest import SEED, scaled
from tests.eni.samples import judge as judge_data
from tests.eni.samples import raw
from webhook.admission.review import Hook


@pytest.mark.serial
def test_fifty_thousand_repeated_keys_take_no_longer_than_different_ones() -> None:
    def seconds(keys: list[str]) -> float:
        text = "{" + ",".join(f'"{key}":""' for key in keys) + "}"
        took = []
        for _ in range(3):  # a collection of all garbage falls into one of them
            started = time.process_time()
            assert judge_data(raw(text))
            took.append(time.process_time() - started)
        return min(took)

    different = seconds([f"access_{n:05}" for n in range(50_000)])
    assert seconds(["access_key12"] * 50_000) < 4 * different


ID, SECRET = "7Q9ZX8J4VKW3", "9X7QZ4KJ8WV2Q6"
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
