"""Node affinity as Kubernetes reads it: our answers beside those of its own Go code."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import jsonpatch
import pytest

from tests.conftest import THOROUGH
from tests.placement import generate, oracle
from webhook.placement import pin, proof, selector
from webhook.placement.model import CloudNodes, Side, Sides
from webhook.placement.pin import Outcome
from webhook.workloads import ShapeError

CLOUD = CloudNodes()
SPECS = 140_000 if THOROUGH else 14_000
NODES = 24
PAIRS = 100_000

Case = tuple[dict[str, Any], list[tuple[str, dict[str, str]]]]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    from tests.conftest import SEED  # noqa: PLC0415

    rng = random.Random(SEED)  # noqa: S311  # generated cases, nothing secret
    specs = [generate.pod_spec(rng) for _ in range(SPECS)]
    made = [(spec, generate.nodes(spec, rng, NODES)) for spec in specs]
    if not THOROUGH:
        assert len(made) == SPECS
    return made


@pytest.fixture(scope="module")
def theirs(cases: list[Case]) -> list[list[bool] | None]:
    return oracle.ask(cases)


def test_every_generated_pair_is_answered_as_kubernetes_does(
    cases: list[Case], theirs: list[list[bool] | None]
) -> None:
    compared = 0
    for (spec, nodes), wanted in zip(cases, theirs, strict=True):
        assert wanted is not None, "the generator makes only specs that decode"
        found = [selector.matches(spec, labels, name) for name, labels in nodes]
        assert found == wanted, json.dumps({"spec": spec, "nodes": nodes})
        compared += len(nodes)
    assert compared >= PAIRS
    assert any(any(answer or ()) for answer in theirs)


def test_pinned_specs_fit_exactly_the_nodes_of_the_side_that_fitted_before(
    cases: list[Case], theirs: list[list[bool] | None]
) -> None:
    questions, wanted = [], []
    for side in Side:
        for (spec, nodes), before in zip(cases, theirs, strict=True):
            before_copy = copy.deepcopy(spec)
            pinned = pin.pin_to(spec, side, CLOUD)
            assert spec == before_copy, "the input is never changed"
            if pinned.outcome is not Outcome.PATCHED or before is None:
                assert pinned.spec is spec
                continue
            questions.append((pinned.spec, nodes))
            wanted.append(
                [
                    fits and CLOUD.side_of(labels) is side
                    for fits, (_, labels) in zip(before, nodes, strict=True)
                ]
            )
    assert oracle.ask(questions) == wanted
    assert sum(len(nodes) for _, nodes in questions) >= PAIRS // 2


def test_a_side_that_is_claimed_has_a_node_kubernetes_accepts(cases: list[Case]) -> None:
    questions = []
    for spec, _ in cases:
        found = proof.prove(spec, CLOUD)
        for side in Side:
            witness = found.witness(side)
            if witness.possible:
                assert witness.labels is not None
                assert CLOUD.side_of(witness.labels) is side
                questions.append((spec, [(witness.node or "", witness.labels)]))
    assert all(answer == [True] for answer in oracle.ask(questions))
    assert len(questions) > SPECS // 2


def test_a_side_that_is_denied_has_no_node_kubernetes_accepts(
    cases: list[Case], theirs: list[list[bool] | None]
) -> None:
    denied = 0
    for (spec, nodes), fits in zip(cases, theirs, strict=True):
        found = proof.prove(spec, CLOUD)
        for (name, labels), fitted in zip(nodes, fits or [], strict=True):
            if not found.witness(CLOUD.side_of(labels)).possible and _admissible(name, labels):
                denied += 1
                assert not fitted, json.dumps({"spec": spec, "node": [name, labels]})
    assert denied > SPECS


def test_pinning_is_idempotent_adds_only_below_affinity_and_gives_the_same_bytes(
    cases: list[Case],
) -> None:
    for spec, _ in cases:
        for side in Side:
            pinned = pin.pin_to(spec, side, CLOUD)
            again = pin.pin_to(copy.deepcopy(spec), side, CLOUD)
            assert json.dumps(pinned.spec) == json.dumps(again.spec)
            assert pin.pin_to(pinned.spec, side, CLOUD).ops == ()
            assert all(op.path[0] == "affinity" for op in pinned.ops)
            wire = [op.wire() for op in pinned.ops]
            assert jsonpatch.apply_patch(copy.deepcopy(spec), wire) == pinned.spec
            if pinned.outcome is Outcome.PATCHED:
                assert pinned.proof.sides is Sides.BOTH
                assert pin.pin_to(pinned.spec, side, CLOUD).proof.sides.value == side.value


@pytest.mark.parametrize(
    "spec",
    [
        {"affinity": "x"},
        {"affinity": {"nodeAffinity": []}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": 1}}},
        {"nodeSelector": {"a": 1}},
        {"nodeSelector": ["a"]},
    ],
    ids=["affinity", "node-affinity", "required", "selector-value", "selector"],
)
def test_a_type_go_refuses_is_refused(spec: dict[str, Any]) -> None:
    assert oracle.ask([(spec, [])]) == [None]
    with pytest.raises(ShapeError):
        selector.parse(spec)


def _admissible(name: str, labels: dict[str, str]) -> bool:
    """Tell whether an API server would admit such a node (its own words, not our code's)."""
    import re  # noqa: PLC0415

    part = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
    prefix = r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    return (
        re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name) is not None
        and all(re.fullmatch(prefix + part, key, re.ASCII) for key in labels)
        and all(re.fullmatch(f"{part}?", value, re.ASCII) for value in labels.values())
    )
