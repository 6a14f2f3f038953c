"""Pod specs as an API server admits them."""

from __future__ import annotations

import random
from typing import Any

from tests.placement import generate
from tests.placement.generate import CLOUD_KEY
from webhook.placement import labels

Spec = dict[str, Any]
Part = dict[str, Any]


def pod_spec(rng: random.Random) -> Spec:
    """Return a generated pod spec that an API server admits."""
    while True:
        spec: Spec = _as_decoded(generate.pod_spec(rng))
        if is_admitted(spec):
            del spec["containers"]
            return spec


def terms(*found: Part) -> Spec:
    """Return a pod spec with these required node selector terms."""
    required = {"nodeSelectorTerms": list(found)}
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    }


def term(*expressions: Part) -> Part:
    """Return a term with these expressions."""
    return {"matchExpressions": list(expressions)}


def expression(operator: str, *values: str, key: str = CLOUD_KEY) -> Part:
    """Return one expression, on the cloud key unless told."""
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


PINNED: dict[str, Spec] = {
    "NotIn": terms(term(expression("NotIn", "true"))),
    "NotIn more": terms(term(expression("NotIn", "true", "x"))),
    "DoesNotExist": terms(term(expression("DoesNotExist"))),
    "In another": terms(term(expression("In", "false"))),
    "nodeSelector": {"nodeSelector": {CLOUD_KEY: "false"}},
    "Gt": terms(term(expression("Gt", "5"))),
    "Lt": terms(term(expression("Lt", "06"))),
    "two expressions": terms(term(expression("In", "true", "x"), expression("In", "x", "y"))),
    "an empty term beside": terms({}, term(expression("NotIn", "true"))),
    "a dead term beside": terms(
        term(expression("NotIn", "true")),
        term(expression("In", "a", key="os"), expression("In", "b", key="os")),
    ),
    "no number": terms(term(expression("Gt", "x", key="rank"))),
    "nodeSelector with terms": {
        "nodeSelector": {CLOUD_KEY: "false"}, **terms(term(expression("Exists", key="os"))),
    },
}  # fmt: skip
BARE: dict[str, Spec] = {
    "nothing": {},
    "Exists": terms(term(expression("Exists"))),
    "NotIn another": terms(term(expression("NotIn", "false"))),
    "one term of two": terms(
        term(expression("NotIn", "true")), term(expression("Exists", key="os"))
    ),
    "podAffinity alone": {"affinity": {"podAntiAffinity": {}}},
    "another key": {"nodeSelector": {"os": "linux"}},
}


def is_admitted(spec: Spec) -> bool:
    """Tell whether an API server admits it (ValidateNodeSelectorTerm and what it calls, 1.37)."""
    wanted = spec.get("nodeSelector", {}).items()
    if not all(labels.is_key(key) and labels.is_value(value) for key, value in wanted):
        return False
    node = spec.get("affinity", {}).get("nodeAffinity", {})
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    found = [{}] if required is None else required.get("nodeSelectorTerms", [])
    return bool(found) and all(map(_is_term, found))


def _is_term(found: Part) -> bool:
    return all(map(_is_expression, found.get("matchExpressions", ()))) and all(
        map(_is_field, found.get("matchFields", ()))
    )


def _is_expression(found: Part) -> bool:
    values = found.get("values", ())
    fits = {
        "In": len(values) > 0, "NotIn": len(values) > 0, "Gt": len(values) == 1,
        "Lt": len(values) == 1, "Exists": not values, "DoesNotExist": not values,
    }  # fmt: skip
    is_key = labels.is_key(found.get("key", ""))
    return (
        fits.get(found.get("operator", ""), False) and is_key and all(map(labels.is_value, values))
    )


def _is_field(found: Part) -> bool:
    values = found.get("values", ())
    known = found.get("key") == "metadata.name" and found.get("operator") in ("In", "NotIn")
    return known and len(values) == 1 and labels.is_subdomain(values[0])


def _as_decoded(value: Any, zero: Any = None) -> Any:
    """Write nulls as what Go decodes them to: the policy sees the decoded object."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if item is not None}
        return {k: _as_decoded(item, "" if k == "values" else {}) for k, item in kept.items()}
    if isinstance(value, list):
        return [zero if item is None else _as_decoded(item) for item in value]
    return value
