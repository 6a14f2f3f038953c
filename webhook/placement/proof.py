"""Where a pod spec can land, as a proof: per key, what all requirements together leave over.

Keys are independent of each other, so a term can match a node of a side exactly when no key is
left without a value (the node's name counts as one more key).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webhook.placement import labels, selector, values
from webhook.placement.model import CloudNodes, Proof, Side, Sides, Witness
from webhook.placement.selector import NodeSelector, Term

_WITNESS = "witness"
_NO_TERMS = Term(index=-1)


def prove(pod_spec: dict[str, Any], cloud: CloudNodes) -> Proof:
    """Prove on which sides a pod with this spec can land.

    Raises ShapeError, with the path below the pod spec, for a type Go's decoder would refuse.
    """
    return prove_parsed(selector.parse(pod_spec), cloud)


def prove_parsed(parsed: NodeSelector, cloud: CloudNodes) -> Proof:
    """Prove it for a selector that is parsed already."""
    return prove_matchable(parsed, matchable(parsed, cloud), cloud)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchable:
    """A term that some node matches as far as everything but the cloud key goes.

    `labels` (None: absent) and `node` are of such a node; `left` is what may stand at the cloud
    key. Worked out once for both sides.
    """

    term: Term
    labels: dict[str, str | None]
    node: str
    left: values.Values

    def member(self, wanted: values.Values) -> tuple[bool, str | None]:
        """Return (True, a value of the cloud key, None for absent) for nodes as `wanted`."""
        return (wanted if self.left is values.ANY else values.meet((wanted, self.left))).member()


def matchable(parsed: NodeSelector, cloud: CloudNodes) -> tuple[Matchable, ...]:
    """Return the terms that can match anything; the one of no terms where none is required."""
    if parsed.impossible is not None:
        return ()
    terms = (_NO_TERMS,) if parsed.terms is None else parsed.terms
    found = (_matchable(parsed, term, cloud) for term in terms if term.usable)
    return tuple(one for one in found if one is not None)


def _matchable(parsed: NodeSelector, term: Term, cloud: CloudNodes) -> Matchable | None:
    node = _name(term)
    if node is None:
        return None
    members: dict[str, str | None] = {}
    for key, allowed in term.left.items():
        if key != cloud.key:
            possible, members[key] = allowed.member()
            if not possible:
                return None
    return Matchable(term=term, labels=members, node=node, left=own_values(parsed, term, cloud.key))


def prove_matchable(parsed: NodeSelector, found: tuple[Matchable, ...], cloud: CloudNodes) -> Proof:
    """Prove it from the terms that can match anything."""
    on_prem = _witness(parsed, found, cloud, Side.ON_PREM)
    off_prem = _witness(parsed, found, cloud, Side.CLOUD)
    return Proof(
        sides=Sides.of(on_prem=on_prem.possible, cloud=off_prem.possible),
        on_prem=on_prem,
        cloud=off_prem,
    )


def own_values(parsed: NodeSelector, term: Term | None, key: str) -> values.Values:
    """Return what nodeSelector and a term's own expressions leave over for one key."""
    if term is not None and key in term.left:
        return term.left[key]
    return values.equals(parsed.labels[key]) if key in parsed.labels else values.ANY


def side_values(cloud: CloudNodes, side: Side) -> values.Values:
    """Return what the cloud key may hold on a node of `side`."""
    return values.one_of(cloud.values) if side is Side.CLOUD else values.none_of(cloud.values)


def _witness(
    parsed: NodeSelector, found: tuple[Matchable, ...], cloud: CloudNodes, side: Side
) -> Witness:
    at_side = side_values(cloud, side)
    for one in found:
        possible, value = one.member(at_side)
        if possible:
            wanted = {cloud.key: value, **parsed.labels, **one.labels}
            labels_there = {key: text for key, text in wanted.items() if text is not None}
            return _admitted(one.term, parsed, cloud, (labels_there, one.node))
    return _refused(parsed, cloud, side)


def _name(term: Term) -> str | None:
    """Return a node name that satisfies the term's fields, or None if there is none."""
    if not term.fields:
        return _WITNESS
    named = [field for field in term.fields if field.key == selector.NODE_NAME]
    if not all(field.admits("") for field in term.fields if field.key != selector.NODE_NAME):
        return None
    wanted = {field.value for field in named if field.equal}
    excluded = {field.value for field in named if not field.equal}
    spares = (f"{_WITNESS}-{n}" for n in range(len(excluded)))
    for name in wanted or (_WITNESS, *spares):
        if labels.is_subdomain(name) and name not in excluded and wanted <= {name}:
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
    if _clashes(own_values(parsed, None, cloud.key), wanted):
        text = f"nodeSelector: {cloud.key}={parsed.labels[cloud.key]}"
        return Witness(possible=False, reason=f"{text} keeps it out", expression=text)
    if not parsed.terms:
        return _refused_without_terms(parsed)
    for term in parsed.terms:
        if term.usable and _clashes(own_values(parsed, term, cloud.key), wanted):
            said = _on_key(parsed, term, cloud.key)
            return Witness(
                possible=False, reason=f"{said} keeps it out", term=term.index, expression=said
            )
    return _refused_otherwise(parsed.terms[0])


def _refused_without_terms(parsed: NodeSelector) -> Witness:
    if parsed.terms is not None:
        return Witness(possible=False, reason="an empty nodeSelectorTerms matches no node")
    text = f"nodeSelector: {parsed.impossible}={parsed.labels[str(parsed.impossible)]}"
    return Witness(possible=False, reason=f"{text} is on no node", expression=text)


def _refused_otherwise(term: Term) -> Witness:
    place = f"nodeSelectorTerms[{term.index}]"
    if term.empty:
        return Witness(
            possible=False, reason=f"{place} is empty: it matches no node", term=term.index
        )
    if term.error is not None:
        text = f"{place}.{term.error}"
        reason = f"{text}: the term matches no node"
        return Witness(possible=False, reason=reason, term=term.index, expression=text)
    dead = {key for key, allowed in term.left.items() if allowed.empty()}
    for requirement in term.requirements:
        if requirement.key in dead:
            text = f"{place}.matchExpressions[{requirement.index}]: {requirement.text}"
            reason = f"{text} contradicts the rest: the term matches no node"
            return Witness(possible=False, reason=reason, term=term.index, expression=text)
    reason = f"{place} matches no node"
    return Witness(possible=False, reason=reason, term=term.index)


def _clashes(one: values.Values, two: values.Values) -> bool:
    return values.meet((one, two)).empty()


def _on_key(parsed: NodeSelector, term: Term, key: str) -> str | None:
    """Quote the last thing said about a key: the term's own expression, else nodeSelector's."""
    for requirement in reversed(term.requirements):
        if requirement.key == key:
            place = f"nodeSelectorTerms[{term.index}].matchExpressions[{requirement.index}]"
            return f"{place}: {requirement.text}"
    if key in parsed.labels:
        return f"nodeSelector: {key}={parsed.labels[key]}"
    return None
