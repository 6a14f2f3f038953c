"""A pod spec's nodeSelector and required node affinity, parsed once; whether a node matches.

Ours beside component-helpers' nodeaffinity.go:

| there | here |
|---|---|
| a term without expressions and fields is skipped | `Term.empty` |
| a term that does not parse matches nothing | `Term.error` |
| nodeSelector is compared, not validated | `NodeSelector.labels`, any string |
| null decodes to the zero value | `_text`, `_list`, `_object` |
| a field other than metadata.name reads as "" | `Field.admits` |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from webhook.placement import labels, values
from webhook.workloads import BoundError, ShapeError, type_name

Path = tuple[str | int, ...]
REQUIRED: Path = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
TERMS: Path = (*REQUIRED, "nodeSelectorTerms")
NODE_NAME = "metadata.name"
TERMS_MAX = 10_000
EXPRESSIONS_MAX = 20_000
VALUES_MAX = 100_000
"""What is read of one pod spec: terms, 15 µs each; expressions and fields, 15 µs; their values and
the labels of nodeSelector, 1 µs. The most that a real manifest known has: 2, 6 and 8."""
_REMEMBERED_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One matchExpression that parsed: the key, what it leaves over, and its place and words."""

    index: int
    key: str
    operator: str
    operands: tuple[str, ...]
    allowed: values.Values

    @property
    def text(self) -> str:
        """The expression as people write it."""
        return in_words(self.key, self.operator, self.operands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One matchField that parsed. The only field a node has here is metadata.name."""

    index: int
    key: str
    equal: bool
    value: str

    def admits(self, name: str) -> bool:
        """Tell whether a node of this name satisfies it."""
        found = name if self.key == NODE_NAME else ""
        return (found == self.value) is self.equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One nodeSelectorTerm: its requirements are ANDed. `error` says why it does not parse.

    `left` has, for each key of an expression, what all of them and nodeSelector leave over.
    """

    index: int
    requirements: tuple[Requirement, ...] = ()
    left: Mapping[str, values.Values] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    error: str | None = None
    empty: bool = False

    @property
    def usable(self) -> bool:
        """Whether the term can match anything at all."""
        return not self.empty and self.error is None

    def admits(self, node_labels: Mapping[str, str], name: str) -> bool:
        """Tell whether a node matches; a node without a name skips the fields, as in Go."""
        return (
            self.usable
            and all(r.allowed.admits(node_labels.get(r.key)) for r in self.requirements)
            and (not name or all(named.admits(name) for named in self.fields))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSelector:
    """nodeSelector's labels and the required terms; `terms` is None where none are required.

    `impossible` is the first key of nodeSelector that no node can have with its value.
    """

    labels: Mapping[str, str]
    terms: tuple[Term, ...] | None
    impossible: str | None = None


def parse(pod_spec: dict[str, Any]) -> NodeSelector:
    """Parse the parts of a pod spec that say which nodes it may land on.

    Raises ShapeError, with the path below the pod spec, for a type Go's decoder would refuse, and
    BoundError beyond TERMS_MAX, EXPRESSIONS_MAX or VALUES_MAX.
    """
    words(pod_spec)
    wanted = _object(pod_spec.get("nodeSelector"), ("nodeSelector",))
    node_labels = {key: _text(value, ("nodeSelector", key)) for key, value in wanted.items()}
    return NodeSelector(
        labels=node_labels,
        terms=_terms(pod_spec, node_labels),
        impossible=next(
            (key for key, value in node_labels.items() if _impossible(key, value)), None
        ),
    )


def _impossible(key: str, value: str) -> bool:
    return not labels.is_key(key) or not labels.is_value(value)


def _terms(pod_spec: dict[str, Any], node_labels: dict[str, str]) -> tuple[Term, ...] | None:
    required: Any = pod_spec
    for depth, step in enumerate(REQUIRED, start=1):
        required = required.get(step)
        if required is None:
            return None
        _object(required, REQUIRED[:depth])
    terms = _list(required.get("nodeSelectorTerms"), TERMS)
    return tuple(_term(index, term, node_labels) for index, term in enumerate(terms))


def words(pod_spec: dict[str, Any]) -> int:
    """Return how many expressions, values and labels a pod spec has; looks at none of them.

    Raises BoundError where that is more than is read.
    """
    node_labels, terms = pod_spec.get("nodeSelector"), raw_terms(pod_spec)
    if len(terms) > TERMS_MAX:
        raise BoundError(TERMS, f"has {len(terms)} terms, over {TERMS_MAX}")
    expressions = [expression for term in terms for expression in _listed(term)]
    if len(expressions) > EXPRESSIONS_MAX:
        raise BoundError(TERMS, f"has {len(expressions)} expressions, over {EXPRESSIONS_MAX}")
    values_given = len(node_labels) if isinstance(node_labels, dict) else 0
    for expression in expressions:
        operands = expression.get("values") if isinstance(expression, dict) else None
        values_given += len(operands) if isinstance(operands, list) else 0
    if values_given > VALUES_MAX:
        raise BoundError(TERMS, f"has {values_given} values and labels, over {VALUES_MAX}")
    return len(expressions) + values_given


def _listed(term: Any) -> Iterator[Any]:
    for kind in ("matchExpressions", "matchFields"):
        found = term.get(kind) if isinstance(term, dict) else None
        if isinstance(found, list):
            yield from found


def deciding(pod_spec: dict[str, Any]) -> bytes | None:
    """Return the part of a pod spec that decides where it lands, to remember an answer by.

    Many specs share it. None where it is long, or no JSON.
    """
    part = {key: pod_spec[key] for key in ("nodeSelector", "affinity") if key in pod_spec}
    try:
        text = orjson.dumps(part)
    except orjson.JSONEncodeError:
        return None
    return text if len(text) <= _REMEMBERED_BYTES else None


def matches(pod_spec: dict[str, Any], node_labels: Mapping[str, str], name: str) -> bool:
    """Tell whether a node with these labels and this name fits, as Kubernetes answers it."""
    selector = parse(pod_spec)
    if any(node_labels.get(key) != value for key, value in selector.labels.items()):
        return False
    return selector.terms is None or any(term.admits(node_labels, name) for term in selector.terms)


def in_words(key: str, operator: str, operands: tuple[str, ...]) -> str:
    """Return an expression as people write it: `key NotIn [a, b]`, `key Exists`."""
    return f"{key} {operator} [{', '.join(operands)}]" if operands else f"{key} {operator}"


def _raw_expression(expression: Any, path: Path, index: int) -> tuple[str, str, tuple[str, ...]]:
    """Return key, operator and values of one expression or field, nulls as Go's zero values.

    `path` leads to the list it stands in; it is put together only where something is wrong.
    """
    if type(expression) is dict:
        key, operator = expression.get("key"), expression.get("operator")
        operands = expression.get("values") or []
        if (
            type(key) is type(operator) is str
            and type(operands) is list
            and all(type(value) is str for value in operands)
        ):
            return key, operator, tuple(operands)
    place = (*path, index)
    body = _object(expression, place)
    listed = _list(body.get("values"), (*place, "values"))
    return (
        _text(body.get("key"), (*place, "key")),
        _text(body.get("operator"), (*place, "operator")),
        tuple(_text(value, (*place, "values", i)) for i, value in enumerate(listed)),
    )


def raw_expressions(term: Any, path: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield key, operator and values of each expression and field of one term."""
    body = _object(term, path)
    for kind in ("matchExpressions", "matchFields"):
        place = (*path, kind)
        for index, expression in enumerate(_list(body.get(kind), place)):
            yield _raw_expression(expression, place, index)


def raw_terms(pod_spec: dict[str, Any]) -> list[Any]:
    """Return the list of required terms as it stands, [] where there is none."""
    value: Any = pod_spec
    for step in TERMS:
        if not isinstance(value, dict):
            return []
        value = value.get(str(step))
    return value if isinstance(value, list) else []


def _term(index: int, term: Any, node_labels: dict[str, str]) -> Term:
    path = (*TERMS, index)
    body = _object(term, path)
    to_expressions, to_fields = (*path, "matchExpressions"), (*path, "matchFields")
    expressions = _list(body.get("matchExpressions"), to_expressions)
    fields = _list(body.get("matchFields"), to_fields)
    if not expressions and not fields:
        return Term(index=index, empty=True)
    parsed: list[Requirement | str] = []
    for i, expression in enumerate(expressions):
        raw = _raw_expression(expression, to_expressions, i)
        parsed.append(_requirement(i, *raw))
    named: list[Field | str] = []
    for i, condition in enumerate(fields):
        raw = _raw_expression(condition, to_fields, i)
        named.append(_field(i, *raw))
    requirements = tuple(item for item in parsed if isinstance(item, Requirement))
    return Term(
        index=index,
        requirements=requirements,
        left=_left(requirements, node_labels),
        fields=tuple(item for item in named if isinstance(item, Field)),
        error=next((item for item in (*parsed, *named) if isinstance(item, str)), None),
    )


def _left(
    requirements: tuple[Requirement, ...], node_labels: dict[str, str]
) -> dict[str, values.Values]:
    sets: dict[str, list[values.Values]] = {}
    for requirement in requirements:
        sets.setdefault(requirement.key, []).append(requirement.allowed)
    for key, allowed in sets.items():
        if key in node_labels:
            allowed.append(values.equals(node_labels[key]))
    return {key: values.meet(allowed) for key, allowed in sets.items()}


def _requirement(
    index: int, key: str, operator: str, operands: tuple[str, ...]
) -> Requirement | str:
    """Return what labels.NewRequirement does, or the reason it refuses (selector.go:185)."""
    allowed = _allowed(operator, operands)
    if isinstance(allowed, str):
        wrong = allowed
    elif not labels.is_key(key):
        wrong = "has a key that no label can have"
    elif not all(map(labels.is_value, operands)):
        wrong = "has a value that no label can have"
    else:
        return Requirement(
            index=index, key=key, operator=operator, operands=operands, allowed=allowed
        )
    return f"matchExpressions[{index}]: {in_words(key, operator, operands)} {wrong}"


def _allowed(operator: str, operands: tuple[str, ...]) -> values.Values | str:
    """Return what an operator leaves over, or what is wrong with it or its values."""
    if operator in ("Gt", "Lt"):
        number = labels.integer(operands[0]) if len(operands) == 1 else None
        if number is None:
            return "needs exactly one integer"
        return values.above(number) if operator == "Gt" else values.below(number)
    if operator in ("In", "NotIn"):
        allowed = values.one_of(operands) if operator == "In" else values.none_of(operands)
        return allowed if operands else "needs at least one value"
    if operator in ("Exists", "DoesNotExist"):
        allowed = values.PRESENT if operator == "Exists" else values.ABSENT
        return "takes no values" if operands else allowed
    return "has an operator that Kubernetes does not know"


def _field(index: int, key: str, operator: str, operands: tuple[str, ...]) -> Field | str:
    """Return what nodeSelectorRequirementsAsFieldSelector makes of it, or why it refuses."""
    if operator not in ("In", "NotIn"):
        wrong = "has an operator that fields do not know"
    elif len(operands) != 1:
        wrong = "needs exactly one value"
    else:
        return Field(index=index, key=key, equal=operator == "In", value=operands[0])
    return f"matchFields[{index}]: {in_words(key, operator, operands)} {wrong}"


def _object(value: Any, path: Path) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ShapeError(path, f"must be an object, found {type_name(value)}")
    return value


def _list(value: Any, path: Path) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ShapeError(path, f"must be a list, found {type_name(value)}")
    return value


def _text(value: Any, path: Path) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ShapeError(path, f"must be a string, found {type_name(value)}")
    return value
