"""Workloads that a user can write and that cost the most: one for each path through the code.

Found by a search that repeated every part of a review, alone and against every other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.reviews import review

Made = tuple[dict[str, Any], dict[str, Any] | None]
"""An object, and the stored one where the write is an UPDATE."""

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
CLOUD = "alibabacloud.com/external"


def daemonset(pod: dict[str, Any], name: str = "calico-node", **metadata: Any) -> dict[str, Any]:
    """Return a DaemonSet, of the catalogue unless named otherwise."""
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system", **metadata},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x"}], **pod}}},
    }


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    """Return a pod spec with required terms."""
    return {"affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def term(*words: tuple[str, ...], fields: tuple[tuple[str, ...], ...] = ()) -> dict[str, Any]:
    """Return a term of (key, operator, values ...)."""
    parts = {"matchExpressions": words, "matchFields": fields}
    return {name: [_expression(*word) for word in given] for name, given in parts.items() if given}


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _terms(make: Callable[[int], dict[str, Any]], n: int) -> dict[str, Any]:
    return affinity(*map(make, range(n)))


def _words(make: Callable[[int], tuple[str, ...]], n: int) -> dict[str, Any]:
    return affinity(term(*map(make, range(n))))


WORST: dict[str, Callable[[int], Made]] = {
    "terms to extend": lambda n: (daemonset(_terms(lambda i: term((f"k{i}", "In", "a")), n)), None),
    "terms that die": lambda n: (
        daemonset(
            affinity(term(("z", "Exists")), *(term((CLOUD, "In", "true"), (f"k{i}", "Exists")) for i in range(n)))
        ),
        None,
    ),
    "terms that match nothing": lambda n: (
        daemonset(_terms(lambda i: term(("a", "In", "b"), ("a", "NotIn", "b"), (f"k{i}", "Exists")), n)),
        None,
    ),
    "terms that do not parse": lambda n: (daemonset(_terms(lambda i: term((f"k{i}", "Is", "a")), n)), None),
    "empty terms": lambda n: (daemonset(affinity(*({} for _ in range(n)))), None),
    "terms with fields": lambda n: (
        daemonset(
            _terms(
                lambda i: term(fields=(("metadata.name", "NotIn", "witness"), ("metadata.name", "In", f"n{i}"))), n
            )
        ),
        None,
    ),
    "other terms than were stored": lambda n: (
        daemonset(_terms(lambda i: term((f"k{i}", "In", "a")), n)),
        daemonset(_terms(lambda i: term((f"j{i}", "In", "b")), n)),
    ),
    "terms much like those stored": lambda n: (
        daemonset(_terms(lambda i: term((f"k{i}", "In", "a"), ("s", "Exists")), n)),
        daemonset(_terms(lambda i: term((f"k{i}", "In", "b"), ("s", "Exists")), n)),
    ),
    "the stored terms backwards": lambda n: (
        daemonset(_terms(lambda i: term((f"k{n - i}", "In", "a")), n)),
        daemonset(_terms(lambda i: term((f"k{i}", "In", "a")), n)),
    ),
    "one term for all that were stored": lambda n: (
        daemonset(_words(lambda i: (f"k{i}", "In", "a"), n)),
        daemonset(_terms(lambda i: term((f"k{i}", "In", "a")), n)),
    ),
    "other terms, asked for nothing": lambda n: (
        daemonset(_terms(lambda i: term((f"k{i}", "In", "a")), n), "other"),
        daemonset(_terms(lambda i: term((f"j{i}", "In", "b")), n), "other"),
    ),
    "labels and terms": lambda n: (
        daemonset(
            {
                "nodeSelector": {f"l{i}": "v" for i in range(n)},
                **_terms(lambda i: term((f"k{i}", "In", "a")), n),
            }
        ),
        None,
    ),
    "labels that terms contradict": lambda n: (
        daemonset(
            {
                "nodeSelector": {f"l{i}": "v" for i in range(n)},
                **_terms(lambda i: term((f"l{i}", "In", "a")), n),
            }
        ),
        None,
    ),
    "labels": lambda n: (daemonset({"nodeSelector": {f"l{i}": "v" for i in range(n)}}), None),
    "labels, the last on no node": lambda n: (
        daemonset({"nodeSelector": {**{f"l{i}": "v" for i in range(n)}, "-": "x"}}),
        None,
    ),
    "names that are not": lambda n: (
        daemonset(affinity(term(fields=tuple(("metadata.name", "NotIn", f"witness-{i}") for i in range(n))))),
        None,
    ),
    "one key, many NotIn": lambda n: (daemonset(_words(lambda i: ("a", "NotIn", f"value-{i}"), n)), None),
    "one key, many In": lambda n: (
        daemonset(_words(lambda i: ("a", "In", *(f"v{i + j}" for j in range(64))), n)),
        None,
    ),
    "one NotIn of many": lambda n: (
        daemonset(affinity(term(("a", "NotIn", *(f"value-{i}" for i in range(n)))))),
        None,
    ),
    "a range without its integers": lambda n: (
        daemonset(affinity(term(("a", "Gt", "-1"), ("a", "NotIn", *map(str, range(n)))))),
        None,
    ),
    "one contradiction among many": lambda n: (
        daemonset(
            affinity(term(*((f"k{i}", "Exists") for i in range(n)), ("z", "In", "a"), ("z", "NotIn", "a")))
        ),
        None,
    ),
    "an integer of many digits": lambda n: (daemonset(affinity(term(("a", "Gt", "1" * n)))), None),
    "an integer of many noughts": lambda n: (daemonset(affinity(term(("a", "Gt", "0" * n)))), None),
    "a long value": lambda n: (daemonset(affinity(term(("a", "In", "x" * n)))), None),
    "a long key": lambda n: (daemonset(affinity(term(("a." * n, "Exists")))), None),
    "containers": lambda n: (
        daemonset({"containers": [{"name": "c", "image": f"r.local/a/{i}"} for i in range(n)]}),
        None,
    ),
    "containers of a stranger": lambda n: (
        daemonset({"containers": [{"name": "c", "image": f"r.local/a/{i}"} for i in range(n)]}, "other"),
        None,
    ),
    "an image of many colons": lambda n: (
        daemonset({"containers": [{"name": "c", "image": "a:" * n}]}, "other"),
        None,
    ),
    "an image of many slashes": lambda n: (
        daemonset({"containers": [{"name": "c", "image": "a/" * n}]}, "other"),
        None,
    ),
    "owners": lambda n: (
        daemonset({}, ownerReferences=[{"kind": "x", "name": "y", "controller": False}] * n),
        None,
    ),
    "labels of the object": lambda n: (daemonset({}, labels={f"a{i}": "b" for i in range(n)}), None),
    "annotations": lambda n: (daemonset({}, annotations={f"a{i}": "b" for i in range(n)}), None),
    "managed fields": lambda n: (
        daemonset({}, managedFields=[{"fieldsV1": {f"f:{i}": {} for i in range(n)}}]),
        None,
    ),
    "escapes": lambda n: (
        daemonset({"containers": [{"name": "c", "image": "x", "env": [{"name": "a", "value": "<" * n}]}]}),
        None,
    ),
    "tolerations": lambda n: (daemonset({"tolerations": [{} for _ in range(n)]}), None),
    "tolerations, stored too": lambda n: (
        daemonset({"tolerations": [{} for _ in range(n)]}),
        daemonset({"tolerations": [{} for _ in range(n)]}, labels={"a": "b"}),
    ),
    "preferences": lambda n: (
        daemonset(
            {"affinity": {"nodeAffinity": {_PREFERRED: [{"weight": 1, "preference": term((f"a{i}", "Exists"))} for i in range(n)]}}}
        ),
        None,
    ),
}  # fmt: skip


def body(made: Made) -> bytes:
    """Return the review as Go writes it."""
    obj, old = made
    sent = review(obj, "CREATE" if old is None else "UPDATE", old)
    text = json.dumps(sent, separators=(",", ":"), ensure_ascii=False)
    for plain in "<>&":
        text = text.replace(plain, f"\\u{ord(plain):04x}")
    return text.encode() + b"\n"


def sized(make: Callable[[int], Made], size: int) -> bytes:
    """Return a body of one shape of about `size` bytes, and not more."""
    small, large = len(body(make(100))), len(body(make(1100)))
    count = (size - small) * 1000 // (large - small) + 100
    while len(made := body(make(count))) > size:
        count -= count // 20
    return made
