"""Named shapes: what pinning does to each, written out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from webhook.placement import drops, pin, proof
from webhook.placement.model import CloudNodes, Side, Sides
from webhook.placement.pin import Outcome

CLOUD = CloudNodes()
KEY = "alibabacloud.com/external"
NOT_CLOUD = {"key": KEY, "operator": "NotIn", "values": ["true"]}
IN_CLOUD = {"key": KEY, "operator": "In", "values": ["true"]}
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
WINDOWS = {"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}
EDGE = {"key": "edge", "operator": "Exists"}
ON_NODE = {"key": "metadata.name", "operator": "In", "values": ["cloud1"]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def with_terms(*terms: Any, **spec: Any) -> dict[str, Any]:
    return {**spec, "affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def exprs(*expressions: Any) -> dict[str, Any]:
    return {"matchExpressions": list(expressions)}


# (input, expected spec); what other products make of each shape is in the comment beside it.
SHAPES = {
    # ModifySet alone leaks; the others get this one right.
    "no affinity": ({}, with_terms(exprs(NOT_CLOUD))),
    # A patch that first adds /spec/affinity twice and then a path without parent is refused whole.
    "preferred only": (
        {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}},
        {
            "affinity": {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [],
                    REQUIRED: {"nodeSelectorTerms": [exprs(NOT_CLOUD)]},
                }
            }
        },
    ),
    # The vendor's kubectl patch and Assign drop the os guard; an appended term ORs it away.
    "one term": (with_terms(exprs(LINUX)), with_terms(exprs(LINUX, NOT_CLOUD))),
    # Only the last term is touched by Kyverno's sample: the first still leaks.
    "two terms": (
        with_terms(exprs(LINUX), exprs(WINDOWS)),
        with_terms(exprs(LINUX, NOT_CLOUD), exprs(WINDOWS, NOT_CLOUD)),
    ),
    # A loop that wants matchExpressions to be there misses or replaces this term.
    "fields only": (
        with_terms({"matchFields": [ON_NODE]}),
        with_terms({"matchFields": [ON_NODE], "matchExpressions": [NOT_CLOUD]}),
    ),
    # Everybody but the one that does nothing fills the empty term, which then matches: wider.
    "empty term first": (
        with_terms({}, exprs(EDGE)),
        with_terms({}, exprs(EDGE, NOT_CLOUD)),
    ),
    "empty term last": (
        with_terms(exprs(EDGE), {}),
        with_terms(exprs(EDGE, NOT_CLOUD), {}),
    ),
    # An appended term ORs; a replaced list loses the second term.
    "right in one of two": (
        with_terms(exprs(NOT_CLOUD), exprs(LINUX)),
        with_terms(exprs(NOT_CLOUD), exprs(LINUX, NOT_CLOUD)),
    ),
    # Whoever skips a term because the key occurs leaves cloud nodes in.
    "same key, Exists": (
        with_terms(exprs({"key": KEY, "operator": "Exists"})),
        with_terms(exprs({"key": KEY, "operator": "Exists"}, NOT_CLOUD)),
    ),
    "pod anti-affinity stays": (
        {**with_terms(exprs(LINUX)), "containers": []},
        {**with_terms(exprs(LINUX, NOT_CLOUD)), "containers": []},
    ),
    "null parents": ({"affinity": None}, with_terms(exprs(NOT_CLOUD))),
    "null expressions": (
        with_terms({"matchExpressions": None, "matchFields": [ON_NODE]}),
        with_terms({"matchExpressions": [NOT_CLOUD], "matchFields": [ON_NODE]}),
    ),
    "unknown fields stay": (
        with_terms({**exprs(LINUX), "futureField": 1}),
        with_terms({**exprs(LINUX, NOT_CLOUD), "futureField": 1}),
    ),
}


@pytest.mark.parametrize(("spec", "expected"), SHAPES.values(), ids=SHAPES.keys())
def test_each_shape_is_pinned_in_every_term(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    pinned = pin.pin_to(spec, Side.ON_PREM, CLOUD)

    assert pinned.outcome is Outcome.PATCHED
    assert pinned.spec == expected


@pytest.mark.parametrize(
    "spec",
    [
        with_terms(exprs(NOT_CLOUD)),  # a recipe that does not look first adds it twice
        with_terms(exprs({"key": KEY, "operator": "DoesNotExist"})),
        with_terms(exprs({"key": KEY, "operator": "In", "values": ["false"]})),
        with_terms(exprs({"key": KEY, "operator": "NotIn", "values": ["true", "x"]})),
        {"nodeSelector": {KEY: "false"}},
    ],
    ids=["the same", "DoesNotExist", "In false", "NotIn more", "nodeSelector"],
)
def test_what_is_right_already_is_left_alone(spec: dict[str, Any]) -> None:
    pinned = pin.pin_to(spec, Side.ON_PREM, CLOUD)

    assert pinned.outcome is Outcome.UNCHANGED
    assert pinned.ops == ()


@pytest.mark.parametrize(
    ("spec", "deciding"),
    [
        ({"nodeSelector": {KEY: "true"}}, f"nodeSelector: {KEY}=true"),
        (
            with_terms(exprs(LINUX, IN_CLOUD)),
            f"nodeSelectorTerms[0].matchExpressions[1]: {KEY} In [true]",
        ),
    ],
    ids=["nodeSelector", "every term"],
)
def test_a_contradiction_is_not_patched_and_says_what_decides(
    spec: dict[str, Any], deciding: str
) -> None:
    pinned = pin.pin_to(spec, Side.ON_PREM, CLOUD)

    assert pinned.outcome is Outcome.CONTRADICTION
    assert pinned.ops == ()
    assert pinned.proof.on_prem.expression == deciding


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (with_terms(), "an empty nodeSelectorTerms matches no node"),
        (
            {"affinity": {"nodeAffinity": {REQUIRED: {}}}},
            "an empty nodeSelectorTerms matches no node",
        ),
        (with_terms({}), "nodeSelectorTerms[0] is empty: it matches no node"),
        (
            with_terms(exprs({"key": "n", "operator": "Gt", "values": ["x"]})),
            (
                "nodeSelectorTerms[0].matchExpressions[0]: n Gt [x] needs exactly one integer: "
                "the term matches no node"
            ),
        ),
        (
            with_terms(exprs(LINUX, WINDOWS)),
            (
                "nodeSelectorTerms[0].matchExpressions[0]: kubernetes.io/os In [linux] contradicts "
                "the rest: the term matches no node"
            ),
        ),
        ({"nodeSelector": {"bad key": "x"}}, "nodeSelector: bad key=x is on no node"),
    ],
    ids=["empty list", "no list", "empty term", "malformed", "impossible", "impossible label"],
)
def test_what_matches_no_node_is_not_patched(spec: dict[str, Any], reason: str) -> None:
    pinned = pin.pin_to(spec, Side.ON_PREM, CLOUD)

    assert pinned.outcome is Outcome.NONE
    assert pinned.proof.sides is Sides.NONE
    assert pinned.proof.on_prem.reason == reason


def test_a_term_that_can_match_no_more_is_told() -> None:
    pinned = pin.pin_to(with_terms(exprs(IN_CLOUD), exprs(LINUX)), Side.ON_PREM, CLOUD)

    assert pinned.dead_terms == (0,)
    assert pinned.spec == with_terms(exprs(IN_CLOUD, NOT_CLOUD), exprs(LINUX, NOT_CLOUD))


def test_pinning_to_the_cloud_uses_in() -> None:
    pinned = pin.pin_to(with_terms(exprs(LINUX)), Side.CLOUD, CLOUD)

    assert pinned.spec == with_terms(exprs(LINUX, IN_CLOUD))


def test_the_witness_of_a_padded_integer_range_is_exact() -> None:
    low = {"key": "rank", "operator": "Gt", "values": ["4"]}
    high = {"key": "rank", "operator": "Lt", "values": ["6"]}
    five = {"key": "rank", "operator": "NotIn", "values": ["5"]}
    found = proof.prove(with_terms(exprs(low, high, five)), CLOUD)

    assert found.on_prem.labels == {"rank": "05"}


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "n", "operator": "Lt", "values": ["0"]},
        {"key": "n", "operator": "Gt", "values": ["9223372036854775807"]},
    ],
    ids=["below zero", "above int64"],
)
def test_an_integer_no_label_can_hold_matches_nothing(expression: dict[str, Any]) -> None:
    assert proof.prove(with_terms(exprs(expression)), CLOUD).sides is Sides.NONE


def test_a_preference_is_added_once() -> None:
    first = pin.prefer({"containers": []}, Side.ON_PREM, CLOUD, weight=30)
    weighted = {"weight": 30, "preference": exprs(NOT_CLOUD)}
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"

    assert first.spec["affinity"] == {"nodeAffinity": {preferred: [weighted]}}
    assert pin.prefer(first.spec, Side.ON_PREM, CLOUD, weight=30).outcome is Outcome.UNCHANGED
    other = {"weight": 1, "preference": exprs(LINUX)}
    more = pin.prefer(
        {"affinity": {"nodeAffinity": {preferred: [other]}}}, Side.ON_PREM, CLOUD, weight=30
    )
    assert more.spec["affinity"]["nodeAffinity"][preferred] == [other, weighted]
    assert pin.prefer(with_terms(), Side.ON_PREM, CLOUD, weight=1).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        (with_terms(exprs(LINUX)), with_terms(exprs(NOT_CLOUD)), [(0, ("kubernetes.io/os In [linux]",))]),
        (with_terms(exprs(LINUX)), {}, [(0, ("kubernetes.io/os In [linux]",))]),
        (with_terms(exprs(LINUX)), with_terms(exprs(NOT_CLOUD, LINUX)), []),
        (with_terms(exprs(LINUX), exprs(EDGE)), with_terms(exprs(EDGE), exprs(LINUX)), []),
        (with_terms(exprs(LINUX), exprs(EDGE)), with_terms(exprs(LINUX)), [(1, ("edge Exists",))]),
        (with_terms(exprs(LINUX), exprs(LINUX)), with_terms(exprs(LINUX)),
         [(1, ("kubernetes.io/os In [linux]",))]),
        (with_terms({"matchFields": [ON_NODE]}), with_terms(exprs(LINUX)),
         [(0, ("metadata.name In [cloud1]",))]),
        ({}, with_terms(exprs(LINUX)), []),
    ],
    ids=["replaced", "removed", "extended", "reordered", "one gone", "two into one", "field", "none"],
)  # fmt: skip
def test_an_update_that_drops_terms_is_told_exactly(
    old: dict[str, Any], new: dict[str, Any], lost: list[tuple[int, tuple[str, ...]]]
) -> None:
    assert [(d.term, d.expressions) for d in drops.dropped(old, new)] == lost
