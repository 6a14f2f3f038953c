"""Owners as values: selectors as Kubernetes reads them, and what refutes a claim."""

from __future__ import annotations

from typing import Any

import pytest

from webhook import owners
from webhook.owners import Owner

LABELS = {"app": "web", "tier": "front"}


def expression(operator: str, key: str, *values: str) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "operator": operator}
    return {"matchExpressions": [found | ({"values": list(values)} if values else {})]}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "front"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchLabels": {"app": "web", "zone": "a"}}, False),
        (expression("In", "app", "api", "web"), True),
        (expression("In", "app", "api"), False),
        (expression("In", "zone", "a"), False),
        (expression("NotIn", "app", "api"), True),
        (expression("NotIn", "app", "web"), False),
        (expression("NotIn", "zone", "a"), True),
        (expression("Exists", "app"), True),
        (expression("Exists", "zone"), False),
        (expression("DoesNotExist", "app"), False),
        (expression("DoesNotExist", "zone"), True),
        ({"matchLabels": {"app": "web"}, **expression("Exists", "zone")}, False),
        ({"matchLabels": {"zone": "a"}, **expression("Exists", "app")}, False),
        ({"app": "web"}, True),
        ({"app": "web", "zone": "a"}, False),
        ({"matchLabels": "web"}, False),
        ({}, True),
        ({"matchLabels": None, "matchExpressions": None}, True),
        (expression("Near", "app", "web"), False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": "web"}]}, False),
        ({"matchExpressions": [{"key": ["app"], "operator": "In", "values": ["web"]}]}, False),
    ],
)
def test_a_selector_fits_labels_as_in_kubernetes(selector: dict[str, Any], fits: bool) -> None:  # noqa: FBT001  # a table
    assert owners.selects(selector, LABELS) is fits


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "is not there"),
        ({}, "has another uid"),
        ({"metadata": {"uid": "other"}, "spec": {"selector": {"app": "web"}}}, "has another uid"),
        ({"metadata": {"uid": "u"}, "spec": {"selector": {"app": "api"}}}, "does not select its labels"),
        ({"metadata": {"uid": "u"}, "spec": {"selector": {"app": "web"}}}, None),
        ({"metadata": {"uid": "u"}, "spec": {"schedule": "@yearly"}}, None),
        ({"metadata": {"uid": "u"}}, None),
    ],
)  # fmt: skip
def test_an_owner_is_refuted_by_its_name_its_uid_or_its_selector(
    found: dict[str, Any] | None, why: str | None
) -> None:
    owner = Owner(group="apps", kind="ReplicaSet", name="x", uid="u")

    assert owners.refuted(owner, found, LABELS) == why
    assert found is None or owners.refuted(owner, owners.essence(found), LABELS) == why


def test_an_object_is_disowned_of_its_controller_alone() -> None:
    other = {"kind": "ConfigMap", "controller": False}
    both = [{"controller": True}, other]
    obj: dict[str, Any] = {"kind": "Pod", "metadata": {"name": "x", "ownerReferences": both}}

    assert owners.disowned(obj)["metadata"] == {"name": "x", "ownerReferences": [other]}
    assert len(both) == 2, "the object itself is not changed"
