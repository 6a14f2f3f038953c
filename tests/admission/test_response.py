from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission import writes
from tests.admission.oracle import verify
from tests.admission.writes import KEY
from webhook.admission import response
from webhook.admission.response import Response
from webhook.admission.review import Hook
from webhook.audit import rulebook
from webhook.policy.document import PLACEMENT_LABEL

PATCH = b'[{"op":"add","path":"/spec/a~1b~0c/0","value":{"x":[1]}}]'
TOLD = {"rule": "r", "verdict": "v"}


@pytest.mark.parametrize(
    ("answer", "allowed", "patch", "code"),
    [
        (response.allowed(), True, False, None),
        (response.allowed(["HG101 x"], **TOLD), True, False, None),
        (response.denied("HG101 x"), False, False, 403),
        (response.denied("HG101 x", ["HG107 y"], **TOLD), False, False, 403),
        (response.patched(PATCH), True, True, None),
        (response.patched(PATCH, ["HG101 x"], **TOLD), True, True, None),
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
    wire = response.patched(PATCH).to_wire("u1")

    assert base64.b64decode(wire["response"]["patch"], validate=True) == PATCH


@pytest.mark.parametrize("patch", [b"", b"[]"])
def test_an_empty_patch_cannot_be_built(patch: bytes) -> None:
    with pytest.raises(ValueError, match="without operations"):
        response.patched(patch)


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
    for answer in (response.allowed(warnings), response.patched(PATCH, warnings)):
        verify(answer.to_wire("u"), "u", mutating=True)
    if message.strip():
        verify(response.denied(f"HG1 {message}", warnings).to_wire("u"), "u", mutating=False)


HOSTILE = ["is immutable", "immutable field", "this\nimmutable\tfields", "is  IMMUTABLE", "Immutable field(s)"]  # fmt: skip
pieces = st.lists(st.sampled_from([*HOSTILE, "is", "immutable", "field", " ", "\n", "\u00a0", "\u2028", "\x00", '"', "x"]))  # fmt: skip


@given(pieces.map("".join), st.lists(pieces.map("".join), max_size=4))
def test_nothing_that_is_quoted_makes_a_controller_recreate_the_object(
    text: str, warnings: list[str]
) -> None:
    told = [f"HG1 {warning}" for warning in warnings]
    for answer in (response.denied(f"HG1 {text}", told), response.allowed(told)):
        verify(answer.to_wire("u"), "u", mutating=False)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_values_are_told_in_quotes(text: str) -> None:
    by = writes.policy(
        f"rules: [{{name: {json.dumps(' '.join(text.split()))}, match: {{namespaces: [home]}}, placement: on-prem}}]\n"
    )
    for hook in Hook:
        told = writes.judge(hook, writes.workload(nodeSelector={KEY: "true"}), by=by)
        assert '"' in told["status"]["message"]
    labelled = writes.changed(writes.workload(), metadata={"labels": {PLACEMENT_LABEL: text}})
    loose = writes.policy("overrides: {namespaces: [home]}\n")
    assert '"' in writes.judge(Hook.MUTATE, labelled, by=loose)["warnings"][0]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config", "namespace": "kube-system"}, "data": {"eni_conf": json.dumps({text: 1, "ip_stack": text})}}  # fmt: skip
    assert not writes.judge(Hook.VALIDATE, config, by=loose)["allowed"]


def test_no_rule_speaks_the_words_that_make_a_controller_recreate_an_object() -> None:
    lines = rulebook.text().splitlines()
    assert sum("immutable" in line for line in lines) > 1
    for text in filter(None, lines):
        answer = response.denied(text, [text]).to_wire("u")
        verify(answer, "u", mutating=False)
