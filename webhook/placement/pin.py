"""Keep a pod spec on one side: the requirement goes into every term, and nothing else changes.

Terms are ORed, so a requirement appended as a term of its own would widen what the user narrowed,
and one put into the first term only would leave the others open.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from webhook.patch import Add
from webhook.placement import proof, selector
from webhook.placement.model import CloudNodes, Proof, Side, Sides
from webhook.placement.selector import REQUIRED, TERMS, NodeSelector, Path

PREFERRED: Path = ("affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")


class Outcome(enum.StrEnum):
    """What came of pinning a spec."""

    UNCHANGED = "unchanged"
    PATCHED = "patched"
    CONTRADICTION = "contradiction"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pinned working copy and the operations that lead to it, as paths below the pod spec.

    `spec` shares with the input whatever no operation is above; without operations it is the
    input. `proof` is about the input. `dead_terms` could match before and cannot any more.
    """

    outcome: Outcome
    proof: Proof
    spec: dict[str, Any]
    ops: tuple[Add, ...] = ()
    dead_terms: tuple[int, ...] = ()


def pin_to(pod_spec: dict[str, Any], side: Side, cloud: CloudNodes) -> Pin:
    """Pin a pod spec to `side`, or say why nothing is to be done.

    For every node n: the result fits n exactly when the input fits n and n is on `side`.
    Raises ShapeError, with the path below the pod spec, for a type Go's decoder would refuse.
    """
    plan = _planned(pod_spec, side, cloud)
    return Pin(
        outcome=plan.outcome,
        proof=plan.proof,
        spec=applied(pod_spec, plan.ops) if plan.ops else pod_spec,
        ops=plan.ops,
        dead_terms=plan.dead_terms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What pinning does to every spec with the same nodeSelector and affinity."""

    outcome: Outcome
    proof: Proof
    ops: tuple[Add, ...] = ()
    dead_terms: tuple[int, ...] = ()


def _planned(pod_spec: dict[str, Any], side: Side, cloud: CloudNodes) -> _Plan:
    """Plan, or remember: operators write the same few objects over and over.

    That is a fifth of a decision (168 µs without, 136 with), and at most 2 MiB: what is long is
    planned each time.
    """
    text = selector.deciding(pod_spec)
    return _plan(pod_spec, side, cloud) if text is None else _remembered(text, side, cloud)


@lru_cache(maxsize=128)
def _remembered(text: bytes, side: Side, cloud: CloudNodes) -> _Plan:
    return _plan(orjson.loads(text), side, cloud)


def _plan(pod_spec: dict[str, Any], side: Side, cloud: CloudNodes) -> _Plan:
    parsed = selector.parse(pod_spec)
    found = proof.matchable(parsed, cloud)
    proven = proof.prove_matchable(parsed, found, cloud)
    if proven.sides is Sides.NONE:
        return _Plan(outcome=Outcome.NONE, proof=proven)
    if proven.sides is not Sides.BOTH:
        right = proven.sides.value == side.value
        return _Plan(outcome=Outcome.UNCHANGED if right else Outcome.CONTRADICTION, proof=proven)
    return _Plan(
        outcome=Outcome.PATCHED,
        proof=proven,
        ops=_require(pod_spec, parsed, side, cloud),
        dead_terms=_dead_terms(found, side, cloud),
    )


def prefer(pod_spec: dict[str, Any], side: Side, cloud: CloudNodes, *, weight: int) -> Pin:
    """Add a weighted preference for `side`, unless the spec is bound already or has it."""
    proven = proof.prove(pod_spec, cloud)
    if proven.sides is Sides.NONE:
        return Pin(outcome=Outcome.NONE, proof=proven, spec=pod_spec)
    preference = {
        "weight": weight,
        "preference": {"matchExpressions": [cloud.expression(side)]},
    }
    present = _at(pod_spec, PREFERRED)
    if proven.sides is not Sides.BOTH or (isinstance(present, list) and preference in present):
        return Pin(outcome=Outcome.UNCHANGED, proof=proven, spec=pod_spec)
    if isinstance(present, list):
        ops: tuple[Add, ...] = (Add(path=(*PREFERRED, "-"), value=preference),)
    else:
        ops = (_create(pod_spec, PREFERRED, [preference]),)
    spec = applied(pod_spec, ops)
    return Pin(outcome=Outcome.PATCHED, proof=proven, spec=spec, ops=ops)


def applied(spec: dict[str, Any], ops: tuple[Add, ...]) -> dict[str, Any]:
    """Return a working copy with `ops` applied; only the containers on their paths are new."""
    copy = dict(spec)
    fresh = {id(copy)}
    for op in ops:
        target: Any = copy
        for step in op.path[:-1]:
            child = target[step]
            if id(child) not in fresh:
                child = child.copy()
                fresh.add(id(child))
                target[step] = child
            target = child
        if op.path[-1] == "-":
            target.append(op.value)
        else:
            target[op.path[-1]] = op.value
    return copy


def _require(
    pod_spec: dict[str, Any], parsed: NodeSelector, side: Side, cloud: CloudNodes
) -> tuple[Add, ...]:
    """Plan the operations for a spec that can land on both sides."""
    if parsed.terms is None:
        terms = [{"matchExpressions": [cloud.expression(side)]}]
        return (_create(pod_spec, REQUIRED, {"nodeSelectorTerms": terms}),)
    raw = selector.raw_terms(pod_spec)
    wanted = proof.side_values(cloud, side)
    ops = []
    for term in parsed.terms:
        if term.empty or proof.own_values(parsed, term, cloud.key).within(wanted):
            continue
        path = (*TERMS, term.index, "matchExpressions")
        if raw[term.index].get("matchExpressions") is None:
            ops.append(Add(path=path, value=[cloud.expression(side)]))
        else:
            ops.append(Add(path=(*path, "-"), value=cloud.expression(side)))
    return tuple(ops)


def _dead_terms(
    found: tuple[proof.Matchable, ...], side: Side, cloud: CloudNodes
) -> tuple[int, ...]:
    """Return the terms that only nodes of the other side match."""
    here, there = proof.side_values(cloud, side), proof.side_values(cloud, side.other)
    return tuple(
        one.term.index for one in found if not one.member(here)[0] and one.member(there)[0]
    )


def _create(pod_spec: dict[str, Any], path: Path, value: Any) -> Add:
    """Return one `add` that creates `path` with the parents that are missing or null."""
    depth = 1
    while depth < len(path) and isinstance(_at(pod_spec, path[:depth]), dict):
        depth += 1
    for step in reversed(path[depth:]):
        value = {step: value}
    return Add(path=path[:depth], value=value)


def _at(value: Any, path: Path) -> Any:
    """Return what stands at `path`, or None."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
