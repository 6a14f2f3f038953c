"""The semantics as properties, against a naive evaluator written from the documentation alone."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import jsonpatch
from hypothesis import given
from hypothesis import strategies as st

from webhook.placement import pin, proof, selector
from webhook.placement.model import CloudNodes, Side, Sides

CLOUD = CloudNodes(key="cloud", values=("true", "yes"))
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LABELS: dict[str, list[str | None]] = {
    "cloud": [None, "true", "yes", "no", ""],
    "os": [None, "linux", "other"],
    "rank": [None, "0", "1", "05", "6", "x"],
}
NODES = [
    (name, {key: value for key, value in zip(LABELS, values, strict=True) if value is not None})
    for name in ("a", "b")
    for values in itertools.product(*LABELS.values())
]

operands = {
    "cloud": st.sampled_from(["true", "yes", "no", ""]),
    "os": st.sampled_from(["linux", "other"]),
    "rank": st.sampled_from(["0", "1", "4", "05", "6"]),
}


@st.composite
def expressions(draw: st.DrawFn) -> dict[str, Any]:
    key = draw(st.sampled_from(["cloud", "cloud", "os", "rank"]))
    operator = draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    if operator in ("Gt", "Lt"):
        return {"key": "rank", "operator": operator, "values": [draw(operands["rank"])]}
    return {
        "key": key,
        "operator": operator,
        "values": draw(st.lists(operands[key], min_size=1, max_size=3)),
    }


fields = st.builds(
    lambda operator, name: {"key": "metadata.name", "operator": operator, "values": [name]},
    st.sampled_from(["In", "NotIn"]),
    st.sampled_from(["a", "b", "c"]),
)
terms = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.none() | st.lists(expressions(), max_size=3),
        "matchFields": st.none() | st.lists(fields, max_size=2),
        "unknown": st.just(1),
    },
)
affinities = st.none() | st.builds(
    lambda listed: {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": listed}}},
    st.none() | st.lists(terms, max_size=3),
)
pod_specs: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"containers": st.just([])},
    optional={
        "affinity": affinities,
        "nodeSelector": st.dictionaries(
            st.sampled_from(["cloud", "os"]), st.sampled_from(["true", "no", "linux"]), max_size=2
        ),
    },
)


def holds(expression: dict[str, Any], value: str | None) -> bool:
    """Whether one expression holds for a label's value, None for no such label."""
    operator, values = expression["operator"], expression.get("values", [])
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if value is None or not value.isdigit():
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])


def fits(spec: dict[str, Any], name: str, labels: dict[str, str]) -> bool:
    """Whether a pod may be scheduled to a node, as the documentation of node affinity says."""
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    affinity = spec.get("affinity")
    if affinity is None:
        return True
    for term in affinity["nodeAffinity"][REQUIRED]["nodeSelectorTerms"] or []:
        listed = term.get("matchExpressions") or []
        named = term.get("matchFields") or []
        if (
            (listed or named)
            and all(holds(e, labels.get(e["key"])) for e in listed)
            and all(holds(f, name) for f in named)
        ):
            return True
    return False


def side(labels: dict[str, str]) -> Side:
    return Side.CLOUD if labels.get("cloud") in ("true", "yes") else Side.ON_PREM


@given(pod_specs)
def test_a_node_matches_exactly_when_the_documentation_says_so(spec: dict[str, Any]) -> None:
    for name, labels in NODES:
        assert selector.matches(spec, labels, name) == fits(spec, name, labels)


@given(pod_specs)
def test_sides_are_exactly_those_a_node_exists_for(spec: dict[str, Any]) -> None:
    found = proof.prove(spec, CLOUD)
    reached = {side(labels) for name, labels in NODES if fits(spec, name, labels)}

    for one in Side:
        witness = found.witness(one)
        if one in reached:
            assert witness.possible
        if witness.possible:
            assert witness.labels is not None
            assert fits(spec, witness.node or "", witness.labels)
            assert side(witness.labels) is one
    assert found.sides is Sides.of(on_prem=found.on_prem.possible, cloud=found.cloud.possible)


@given(pod_specs, st.sampled_from(list(Side)))
def test_pinning_keeps_exactly_the_nodes_of_the_side(spec: dict[str, Any], wanted: Side) -> None:
    before = copy.deepcopy(spec)
    pinned = pin.pin_to(spec, wanted, CLOUD)

    assert spec == before
    if pinned.ops:
        for name, labels in NODES:
            assert fits(pinned.spec, name, labels) == (
                fits(spec, name, labels) and side(labels) is wanted
            )
    else:
        assert pinned.spec is spec
    assert pin.pin_to(pinned.spec, wanted, CLOUD).ops == ()
    assert jsonpatch.apply_patch(before, [op.wire() for op in pinned.ops]) == pinned.spec
    assert all(op.path[0] == "affinity" for op in pinned.ops)
