from __future__ import annotations

from typing import Any

import pytest

from webhook import patch
from webhook.patch import Add, PatchError


def obj() -> dict[str, Any]:
    return {"spec": {"a": [1], "keep": {"x": 1}}, "meta": {}}


def test_pointers_are_escaped_and_read_back() -> None:
    assert patch.pointer(("a/b", "c~d", 0)) == "/a~1b/c~0d/0"
    assert patch.steps("/a~1b/c~0d/0") == ("a/b", "c~d", 0)
    assert patch.pointer(()) == ""


@pytest.mark.parametrize("first", [1, 1 << 80, "x" * 10_000])
def test_a_patch_that_gives_what_was_planned_is_returned_as_it_is_sent(first: Any) -> None:
    before = {**obj(), "spec": {**obj()["spec"], "a": [first]}}
    expected = {**before, "spec": {**before["spec"], "a": [first, {"b": {"c": 2}}]}}
    ops = (
        Add(path=("spec", "a", "-"), value={"b": {}}),
        Add(path=("spec", "a", 1, "b", "c"), value=2),
    )

    assert patch.prove(before, ops, expected) == (
        b'[{"op":"add","path":"/spec/a/-","value":{"b":{}}},'
        b'{"op":"add","path":"/spec/a/1/b/c","value":2}]'
    )


@pytest.mark.parametrize(
    "ops",
    [
        (Add(path=("spec", "missing", "x"), value=1),),
        (Add(path=("spec", "a", 5), value=1),),
        (Add(path=("spec", "a", "-"), value=3),),
    ],
    ids=["no parent", "no such index", "another value"],
)
def test_a_patch_that_does_not_do_what_was_planned_never_leaves(ops: tuple[Add, ...]) -> None:
    before = obj()
    expected = {**before, "spec": {**before["spec"], "a": [1, 2]}}

    with pytest.raises(PatchError):
        patch.prove(before, ops, expected)


def test_a_change_beside_the_patch_is_noticed() -> None:
    before = obj()
    expected = {**before, "spec": {"a": [1, 2], "keep": {"x": 2}}}

    with pytest.raises(PatchError):
        patch.prove(before, (Add(path=("spec", "a", "-"), value=2),), expected)
