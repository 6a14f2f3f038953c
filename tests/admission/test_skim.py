"""The scan that makes a review smaller, against a slow one that knows the decoded tree."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

import pytest

from tests.conftest import SEED, scaled
from webhook.admission import skim
from webhook.admission.skim import SEAL, SkimError

TEMPLATES = [("spec", "template"), ("spec", "jobTemplate", "spec", "template")]
NAMES = [
    "a",
    "b",
    "metadata",
    "managedFields",
    "status",
    "spec",
    "template",
    "object",
    "[",
    '\\"',
    "é",
    "\\u0041",
]
LEAVES = [1, -1.5, "a", 'x"y', "[{]}\\", "\\\\", None, True, "", "<&>", "\u2028", "\U0001f600"]  # fmt: skip


def drawn(rng: random.Random, depth: int) -> Any:
    roll = rng.random()
    if depth <= 0 or roll < 0.3:
        return rng.choice(LEAVES)
    if roll < 0.65:
        return [drawn(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(NAMES) + rng.choice(["", "1"]): drawn(rng, depth - 1) for _ in range(rng.randint(0, 3))}  # fmt: skip


def drawn_review(rng: random.Random) -> dict[str, Any]:
    obj: dict[str, Any] = {
        "metadata": {"name": "x", "managedFields": drawn(rng, 6), "labels": drawn(rng, 2)},
        "spec": drawn(rng, rng.choice([2, 5, 9])),
        "status": drawn(rng, 4),
    }
    other = drawn(rng, 4) if rng.random() < 0.3 else obj
    return {"request": {"uid": "u", "more": drawn(rng, 3), "object": obj, "oldObject": other}}


def written(document: Any, rng: random.Random) -> bytes:
    separators = rng.choice([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])
    return json.dumps(document, separators=separators, ensure_ascii=rng.random() < 0.5).encode()


def without_what_nobody_judges(document: dict[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = json.loads(json.dumps(document))
    for name in ("object", "oldObject"):
        obj = left["request"][name]
        places = [(obj, "status")]
        if isinstance(obj, dict):
            places.append((obj.get("metadata"), "managedFields"))
        for parent, key in places:
            if isinstance(parent, dict) and isinstance(parent.get(key), (dict, list)):
                parent[key] = None
    return left


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def test_what_nobody_judges_goes_and_all_else_stays() -> None:
    rng = random.Random(SEED)  # noqa: S311  # generated cases, nothing secret
    for _ in range(scaled(50_000)):
        document = drawn_review(rng)
        body = written(document, rng)
        assert json.loads(skim.usual(body)) == without_what_nobody_judges(document), body


def test_what_is_too_deep_is_sealed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skim, "DEPTH_MAX", 8)
    rng = random.Random(SEED)  # noqa: S311
    sealed = 0
    for _ in range(scaled(50_000)):
        document = drawn_review(rng)
        found = json.loads(skim.usual(written(document, rng)))
        expected = without_what_nobody_judges(document)
        # Containers of up to three levels are swallowed as one, so they may reach over it.
        assert depth_of(found) <= 8 + 4
        if depth_of(expected) <= 8:
            assert found == expected
        sealed += skim.is_sealed(found)
    assert sealed > scaled(50_000) // 60  # a twentieth as a rule, whatever the seed


def test_a_head_has_metadata_and_a_seal_for_each_template() -> None:
    spec = {"replicas": 2, "template": {"spec": {"a": [1]}}, "selector": {"x": {}}, "jobTemplate": {"spec": {"template": {"y": 1}, "z": []}}}  # fmt: skip
    metadata = {"name": "x", "labels": {"l": "v"}, "annotations": {"a": "b"}, "managedFields": [1], "ownerReferences": [{"controller": True}]}  # fmt: skip
    obj = {"kind": "K", "metadata": metadata, "spec": spec, "status": {"s": 1}}
    body = json.dumps({"request": {"uid": "u", "object": obj, "oldObject": obj}}, separators=(",", ":")).encode()  # fmt: skip

    found = json.loads(skim.head(body, TEMPLATES))["request"]

    assert found["object"] == found["oldObject"]
    assert found["object"] == {
        "kind": "K",
        "metadata": {"name": "x", "labels": {"l": "v"}, "annotations": None, "managedFields": None, "ownerReferences": [{"controller": True}]},
        "spec": {
            "replicas": 2,
            "template": {SEAL: hashlib.sha256(b'{"spec":{"a":[1]}}').hexdigest()},
            "selector": {SEAL: hashlib.sha256(b'{"x":{}}').hexdigest()},
            "jobTemplate": {"spec": {"template": {SEAL: hashlib.sha256(b'{"y":1}').hexdigest()}, "z": {SEAL: hashlib.sha256(b"[]").hexdigest()}}},
        },
        "status": {SEAL: hashlib.sha256(b'{"s":1}').hexdigest()},
    }  # fmt: skip


def test_a_head_that_ends_anywhere_in_the_object_is_whole_json() -> None:
    rng = random.Random(SEED)  # noqa: S311
    for _ in range(scaled(20_000)):
        document = drawn_review(rng)
        document["request"]["more"] = []
        body = written(document, rng)
        end = rng.randint(body.index(b'"object"') + len('"object":{..'), len(body) - 1)
        found = json.loads(skim.head(body[:end], TEMPLATES, is_whole=False))
        assert found["request"]["uid"] == "u"


@pytest.mark.parametrize(
    "text", [b'{"a":', b"[" * 5000, b'{"a":[}', b"]", b'{"request":{"object":{"status":{']
)
def test_what_is_no_json_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(SkimError, match="not JSON"):
        skim.usual(text)


def test_two_parts_have_one_seal_only_if_they_are_the_same_bytes() -> None:
    def sealed(inner: bytes) -> Any:
        body = b'{"request":{"object":{"spec":{"template":%s}}}}' % inner
        return json.loads(skim.head(body, TEMPLATES))["request"]["object"]["spec"]["template"]

    assert sealed(b'{"a":[1]}') == sealed(b'{"a":[1]}')
    assert sealed(b'{"a":[1]}') != sealed(b'{"a": [1]}')
    assert skim.is_sealed([{"x": sealed(b"{}")}])
    assert not skim.is_sealed({"a": [{}, 1, "b", None]})


def test_a_head_of_many_parts_is_small_and_has_metadata() -> None:
    many = b",".join(b'"":[]' for _ in range(50_000))
    wide_spec = b'{"request":{"uid":"u","object":{"metadata":{"name":"x"},"spec":{%b}}}}' % many
    wide_object = b'{"request":{"uid":"u","object":{"metadata":{"name":"x"},%b}}}' % many

    spec, whole = (skim.head(text, TEMPLATES) for text in (wide_spec, wide_object))

    assert max(len(spec), len(whole)) < 300
    found = json.loads(spec)["request"]["object"]
    assert found["metadata"] == {"name": "x"}
    assert set(found["spec"]) == {SEAL}
    beside = json.loads(whole)["request"]["object"]
    assert beside["metadata"] == {"name": "x"}
    assert set(beside) == {"metadata", "spec"}
    assert set(beside["spec"]) == {SEAL}
    assert skim.seal_on(found, ("spec", "template")) == found["spec"]
    assert skim.seal_on({"spec": {}}, ("spec", "template")) is None


def test_where_one_seal_stands_for_all_beside_metadata_it_is_of_those_bytes() -> None:
    def sealed(metadata: bytes, beside: bytes) -> Any:
        many = b",".join(b'"k%d":[]' % number for number in range(1500))
        obj = b'{%b,"metadata":%b,"spec":{"a":[1]},%b}' % (many, metadata, beside)
        text = b'{"request":{"object":%b,"oldObject":%b,"dryRun":true}}' % (obj, obj)
        request = json.loads(skim.head(text, [("spec", "template"), ("jobTemplate", "spec")]))
        found = request["request"]
        assert found["object"] == found["oldObject"]
        assert found["dryRun"] is True
        assert set(found["object"]) == {"metadata", "spec", "jobTemplate"}
        return found["object"]

    labels = b'{"labels":{"a":"b"},"managedFields":[{}],"ownerReferences":[{"uid":"1"}]}'
    one = sealed(labels, b'"z":{"q":1}')
    assert one["metadata"]["labels"] == {"a": "b"}
    assert one["metadata"]["ownerReferences"] == [{"uid": "1"}]
    assert sealed(b"{}", b'"z":{"q":1}')["spec"] == one["spec"]
    assert sealed(labels, b'"z":{"q":2}')["spec"] != one["spec"]


@pytest.mark.parametrize("metadata", [b"", b'"metadata":{},"metadata":{},', b'"metadata":{'])
def test_an_object_whose_metadata_cannot_be_told_is_no_review(metadata: bytes) -> None:
    many = b",".join(b'"k%d":[]' % number for number in range(1500))
    with pytest.raises(SkimError, match="not JSON"):
        skim.head(b'{"request":{"object":{%b%b}}}' % (metadata, many), TEMPLATES)
