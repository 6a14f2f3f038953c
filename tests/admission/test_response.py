from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.oracle import verify
from webhook.admission import response
from webhook.admission.response import Response
from webhook.patch import Add

OP = Add(path=("spec", "a/b~c", 0), value={"x": [1]})
TOLD = {"rule": "r", "verdict": "v"}


@pytest.mark.parametrize(
    ("answer", "allowed", "patch", "code"),
    [
        (response.allowed(), True, False, None),
        (response.allowed(["HG101 x"], **TOLD), True, False, None),
        (response.denied("HG101 x"), False, False, 403),
        (response.denied("HG101 x", ["HG107 y"], **TOLD), False, False, 403),
        (response.patched((OP,)), True, True, None),
        (response.patched((OP, OP), ["HG101 x"], **TOLD), True, True, None),
    ],
    ids=["plain", "warned", "denied", "denied and warned", "patched", "patched and warned"],
)
def test_every_answer_is_one_the_api_server_takes(
    answer: Response,
    allowed: bool,  # noqa: FBT001  # a table's column
    patch: bool,  # noqa: FBT001
    code: int | None,
) -> None:
    wire = answer.to_wire("u1")

    verify(wire, "u1", mutating=patch)
    body = wire["response"]
    assert body["allowed"] is allowed
    assert ("patch" in body) == ("patchType" in body) == patch
    assert body.get("status", {}).get("code") == code


def test_a_patch_is_standard_base64_of_a_json_patch() -> None:
    wire = response.patched((OP,)).to_wire("u1")

    assert json.loads(base64.b64decode(wire["response"]["patch"])) == [
        {"op": "add", "path": "/spec/a~1b~0c/0", "value": {"x": [1]}}
    ]


def test_an_empty_patch_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="without operations"):
        response.patched(())


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (["a\nb\r\tc"], ["a b  c"]),
        (["x" * 120], ["x" * 120]),
        (["x" * 121], ["x" * 119 + "…"]),
        (["same", "same", "other"], ["same", "other"]),
        (["\x00\x1b[31mred\u2028"], ["  [31mred "]),
        ([f"{n:03}" + "x" * 117 for n in range(60)], [f"{n:03}" + "x" * 117 for n in range(34)]),
    ],
    ids=["line breaks", "just fits", "cut", "once each", "control characters", "4096 in all"],
)
def test_warnings_are_lines_that_no_client_cuts(given_: list[str], shown: list[str]) -> None:
    assert response.allowed(given_).to_wire("u")["response"]["warnings"] == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("HG101 a\n  fix: b", "HG101 a\n  fix: b"),
        ("HG101 \x07a\x7f", "HG101  a "),
        ("", "denied"),
        ("x" * 5000, "x" * 1500),
    ],
    ids=["lines stay", "control characters", "never without explanation", "bounded"],
)
def test_a_denial_is_text_for_a_terminal(message: str, shown: str) -> None:
    assert response.denied(message).to_wire("u")["response"]["status"]["message"] == shown


@given(st.text(min_size=1), st.lists(st.text(st.characters(), min_size=1, max_size=300)))
def test_no_text_makes_an_answer_that_is_refused(message: str, warnings: list[str]) -> None:
    for answer in (response.allowed(warnings), response.patched((OP,), warnings)):
        verify(answer.to_wire("u"), "u", mutating=True)
    if message.strip():
        verify(response.denied(f"HG1 {message}", warnings).to_wire("u"), "u", mutating=False)
