"""Where a pod spec can land, as a proof: per key, what all requirements together leave over.

Keys are independent of each other, so a term can match a node of a side exactly when no key is
left without a value (the node's name counts as one more key).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from webhook.placement import labels, selector, values
from webhook.placement.model import CloudNodes, Proof, Side, Sides, Witness
from webhook.placement.selector import NodeSelector, Term

_WITNESS = "witness"
_NO_TERMS = Term(index=-1)


def prove(pod_spec: dict[str, Any], cloud: CloudNodes) -> Proof:
    """Prove on which sides a pod with this spec can land.

    Raises ShapeError, with the path below the pod spec, for a type Go's decoder would refuse.
    """
    text = selector.deciding(pod_spec)
    if text is None:
        return prove_parsed(selector.parse(pod_spec), cloud)
    return _remembered(text, cloud)


@lru_cache(maxsize=512)
def _remembered(text: bytes, cloud: CloudNodes) -> Proof:
    return prove_parsed(selector.parse(orjson.loads(text)), cloud)


def prove_parsed(parsed: NodeSelector, cloud: CloudNodes) -> Proof:
    """Prove it for a selector that is parsed already."""
    on_prem = _witness(parsed, cloud, Side.ON_PREM)
    off_prem = _witness(parsed, cloud, Side.CLOUD)
    return Proof(
        sides=Sides.of(on_prem=on_prem.possible, cloud=off_prem.possible),
        on_prem=on_prem,
        cloud=off_prem,
    )


def own_values(parsed: NodeSelector, term: Term | None, key: str) -> values.Values:
    """Return what nodeSelector and a term's own expressions leave over for one key."""
    left = values.ANY
    if key in parsed.labels:
        left = values.equals(parsed.labels[key])
    for requirement in term.requirements if term else ():
        if requirement.key == key:
            left = left.meet(requirement.allowed)
    return left


def side_values(cloud: CloudNodes, side: Side) -> values.Values:
    """Return what the cloud key may hold on a node of `side`."""
    return values.one_of(cloud.values) if side is Side.CLOUD else values.none_of(cloud.values)


def reaches(parsed: NodeSelector, term: Term | None, cloud: CloudNodes, side: Side) -> bool:
    """Tell whether a node of `side` can match one term (None: no term is required)."""
    return _fit(parsed, term or _NO_TERMS, cloud, side) is not None


def _witness(parsed: NodeSelector, cloud: CloudNodes, side: Side) -> Witness:
    if parsed.terms is None:
        node = _fit(parsed, _NO_TERMS, cloud, side)
        return _admitted(_NO_TERMS, parsed, cloud, node) if node else _refused(parsed, cloud, side)
    for term in parsed.terms:
        node = _fit(parsed, term, cloud, side) if term.usable else None
        if node:
            return _admitted(term, parsed, cloud, node)
    return _refused(parsed, cloud, side)


def _fit(
    parsed: NodeSelector, term: Term, cloud: CloudNodes, side: Side
) -> tuple[dict[str, str], str] | None:
    """Return labels and name of a node of `side` that matches one term, or None."""
    name = _name(term)
    if name is None or not all(labels.is_key(key) for key in parsed.labels):
        return None
    left = {cloud.key: side_values(cloud, side)}
    for key, value in parsed.labels.items():
        left[key] = left.get(key, values.ANY).meet(values.equals(value))
    for requirement in term.requirements:
        left[requirement.key] = left.get(requirement.key, values.ANY).meet(requirement.allowed)
    members = {key: allowed.member() for key, allowed in left.items()}
    if not all(possible for possible, _ in members.values()):
        return None
    return {key: value for key, (_, value) in members.items() if value is not None}, name


def _name(term: Term) -> str | None:
    """Return a node name that satisfies the term's fields, or None if there is none."""
    wanted = [f.value for f in term.fields if f.equal and f.key == selector.NODE_NAME]
    spares = [f"{_WITNESS}-{n}" for n in range(len(term.fields))]
    for name in wanted[:1] or [_WITNESS, *spares]:
        if labels.is_subdomain(name) and all(field.admits(name) for field in term.fields):
            return name
    return None


def _admitted(
    term: Term, parsed: NodeSelector, cloud: CloudNodes, node: tuple[dict[str, str], str]
) -> Witness:
    """Say which words let a side in."""
    deciding = _on_key(parsed, term, cloud.key)
    place = f"nodeSelectorTerms[{term.index}]" if term is not _NO_TERMS else "the pod spec"
    reason = f"{deciding} admits it" if deciding else f"{place} lacks {cloud.key}"
    return Witness(
        possible=True,
        reason=reason,
        term=None if term is _NO_TERMS else term.index,
        expression=deciding,
        labels=node[0],
        node=node[1],
    )


def _refused(parsed: NodeSelector, cloud: CloudNodes, side: Side) -> Witness:
    """Say which words keep a side out, the ones about the cloud key first."""
    wanted = side_values(cloud, side)
    if own_values(parsed, None, cloud.key).meet(wanted).empty():
        text = f"nodeSelector: {cloud.key}={parsed.labels[cloud.key]}"
        return Witness(possible=False, reason=f"{text} keeps it out", expression=text)
    if not parsed.terms:
        return _refused_without_terms(parsed)
    for term in parsed.terms:
        if term.usable and own_values(parsed, term, cloud.key).meet(wanted).empty():
            said = _on_key(parsed, term, cloud.key)
            return Witness(
                possible=False, reason=f"{said} keeps it out", term=term.index, expression=said
            )
    return _refused_otherwise(parsed, parsed.terms[0])


def _refused_without_terms(parsed: NodeSelector) -> Witness:
    if parsed.terms is not None:
        return Witness(possible=False, reason="an empty nodeSelectorTerms matches no node")
    key, value = next((k, v) for k, v in parsed.labels.items() if _impossible(k, v))
    text = f"nodeSelector: {key}={value}"
    return Witness(possible=False, reason=f"{text} is on no node", expression=text)


def _refused_otherwise(parsed: NodeSelector, term: Term) -> Witness:
    place = f"nodeSelectorTerms[{term.index}]"
    if term.empty:
        return Witness(
            possible=False, reason=f"{place} is empty: it matches no node", term=term.index
        )
    if term.error is not None:
        text = f"{place}.{term.error}"
        reason = f"{text}: the term matches no node"
        return Witness(possible=False, reason=reason, term=term.index, expression=text)
    for requirement in term.requirements:
        if own_values(parsed, term, requirement.key).empty():
            text = f"{place}.matchExpressions[{requirement.index}]: {requirement.text}"
            reason = f"{text} contradicts the rest: the term matches no node"
            return Witness(possible=False, reason=reason, term=term.index, expression=text)
    reason = f"{place} matches no node"
    return Witness(possible=False, reason=reason, term=term.index)


def _impossible(key: str, value: str) -> bool:
    return not labels.is_key(key) or not labels.is_value(value)


def _on_key(parsed: NodeSelector, term: Term, key: str) -> str | None:
    """Quote the last thing said about a key: the term's own expression, else nodeSelector's."""
    for requirement in reversed(term.requirements):
        if requirement.key == key:
            place = f"nodeSelectorTerms[{term.index}].matchExpressions[{requirement.index}]"
            return f"{place}: {requirement.text}"
    if key in parsed.labels:
        return f"nodeSelector: {key}={parsed.labels[key]}"
    return None
