"""Random pod specs and the nodes at their boundaries, from a seeded generator."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

CLOUD_KEY = "alibabacloud.com/external"
KEYS = (CLOUD_KEY, CLOUD_KEY, CLOUD_KEY, "kubernetes.io/os", "rank", "bad key", "a/b/c", "")
VALUES = ("true", "true", "false", "linux", "", "x", "not valid!", "é", "v" * 64)
NUMBERS = ("0", "1", "5", "06", "6", "7", "9223372036854775807", "9223372036854775808", "-1", "+3", "x",
           "0" * 60 + "7", "1_0", " 5")  # fmt: skip
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "in", "", "Equals")
NAMES = ("witness", "witness-0", "node-a", "", "Not_A_Name")


def pod_spec(rng: random.Random) -> dict[str, Any]:
    """Return a pod spec, malformed in some way every now and then."""
    spec: dict[str, Any] = {"containers": []}
    if rng.random() < 0.3:
        spec["nodeSelector"] = {
            rng.choice(KEYS[:6]): rng.choice((*VALUES, None) if rng.random() < 0.1 else VALUES)
            for _ in range(rng.randint(0, 2))
        }
    if rng.random() < 0.85:
        spec["affinity"] = _affinity(rng)
    return spec


def _affinity(rng: random.Random) -> Any:
    if rng.random() < 0.08:
        return rng.choice([None, {}, {"nodeAffinity": None}, {"nodeAffinity": {}},
                           {"podAntiAffinity": {}}])  # fmt: skip
    required = rng.choice([None, {}, {"nodeSelectorTerms": None}]) if rng.random() < 0.06 else {
        "nodeSelectorTerms": [_term(rng) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3)))]
    }  # fmt: skip
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _term(rng: random.Random) -> Any:
    roll = rng.random()
    if roll < 0.06:
        return rng.choice([{}, None, {"matchExpressions": []}, {"matchFields": None}])
    term: dict[str, Any] = {}
    if roll < 0.95:
        term["matchExpressions"] = [_expression(rng) for _ in range(rng.randint(0, 3))]
    if roll > 0.8:
        term["matchFields"] = [_field(rng) for _ in range(rng.randint(0, 2))]
    return term


def _expression(rng: random.Random) -> Any:
    if rng.random() < 0.02:
        return None
    operator = rng.choice(OPERATORS if rng.random() < 0.1 else OPERATORS[:6])
    key = rng.choice(KEYS if rng.random() < 0.1 else KEYS[:5])
    pool: tuple[str, ...] = (
        NUMBERS if operator in ("Gt", "Lt") or (key == "rank" and rng.random() < 0.5) else VALUES
    )
    if rng.random() < 0.85:
        pool = pool[:7]
    sizes = {"Exists": (0, 0, 0, 0, 1), "DoesNotExist": (0, 0, 0, 0, 1), "Gt": (1, 1, 1, 1, 2),
             "Lt": (1, 1, 1, 1, 0)}  # fmt: skip
    count = rng.choice(sizes.get(operator, (1, 1, 2, 3, 0 if rng.random() < 0.2 else 1)))
    expression: dict[str, Any] = {"key": key, "operator": operator}
    values: list[Any] = [rng.choice(pool) for _ in range(count)]
    if values and rng.random() < 0.01:
        values[0] = None
    if values or rng.random() < 0.3:
        expression["values"] = values
    return expression


def _field(rng: random.Random) -> Any:
    count = 1 if rng.random() < 0.9 else rng.choice((0, 2))
    return {
        "key": "metadata.name" if rng.random() < 0.85 else rng.choice(("metadata.uid", "")),
        "operator": rng.choice(("In", "NotIn", "In", "NotIn", "Exists")),
        "values": [rng.choice(NAMES) for _ in range(count)],
    }


def nodes(spec: dict[str, Any], rng: random.Random, count: int) -> list[tuple[str, dict[str, str]]]:
    """Return boundary nodes of a spec: each key with its values, one nobody named, absent, ± 1."""
    mentioned: dict[str, set[str | None]] = {CLOUD_KEY: {"true", "false", None}}
    names = {"witness", "elsewhere"}
    for key, value in (spec.get("nodeSelector") or {}).items():
        mentioned.setdefault(key, {None}).add(value or "")
    for key, values in _requirements(spec):
        found = mentioned.setdefault(key, {None, "unnamed"})
        for value in values:
            found |= {value, *_neighbours(value)}
            names.add(value)
    choices = [sorted(found, key=str) for found in mentioned.values()]
    combinations = list(itertools.islice(itertools.product(*choices), 4000))
    rng.shuffle(combinations)
    picked = combinations[:count]
    return [
        (
            rng.choice(sorted(names - {""})),
            {k: v for k, v in zip(mentioned, values, strict=True) if v is not None},
        )
        for values in picked
    ]


def _neighbours(value: str) -> set[str]:
    """Return one more, one less, and another spelling of an integer."""
    if not value.isascii() or not value.lstrip("0").isdecimal():
        return {"1"} if value == "0" else set()
    number = int(value)
    return {str(number + 1), str(max(number - 1, 0)), f"0{number}"}


def _requirements(spec: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for kind in ("matchExpressions", "matchFields"):
            for expression in (term or {}).get(kind) or ():
                if expression:
                    yield expression["key"], [v or "" for v in expression.get("values") or ()]
