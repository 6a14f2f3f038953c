"""What no honest object is: too deep, too many, too large. It is answered all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.admission import worst
from tests.admission.writes import policy
from tests.reviews import patch_of, review
from webhook.admission import exchange
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError

POLICY = policy()
NODE_AGENT = worst.daemonset({})
MARK = "@@"


def answer(hook: Hook, body: bytes, **options: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(
        exchange.answer(hook, body, options.pop("by", POLICY), **options)[0]
    )
    return decoded


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def body(
    obj: dict[str, Any],
    operation: str = "CREATE",
    old: dict[str, Any] | None = None,
    *,
    marked: bytes = b"{}",
    **request: Any,
) -> bytes:
    """A review, with other bytes where the text MARK stands."""
    sent = review(obj, operation, old, **request)
    last = {name: sent["request"].pop(name) for name in ("object", "oldObject")}
    sent["request"].update(last)  # as the API server writes it: who asks comes first
    text = json.dumps(sent, separators=(",", ":")).encode()
    return text.replace(json.dumps(MARK).encode(), marked)


def clone_set(template: Any = MARK, **metadata: Any) -> dict[str, Any]:
    """Return an object whose template may hold anything, as custom resources' may."""
    pod = {"containers": [{"name": "c", "image": "x"}]}
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": "web", "namespace": "home", **metadata},
        "spec": {"replicas": 1, "template": {"spec": {**pod, "more": template}}},
    }


ODD = {
    "250 deep": nested(250),
    "10,000 deep": nested(10_000),
    "a key twice": b'{"f:a":{},"f:a":{}}',
    "no number": b"1e999",
    "many digits": b"9" * 5000,
    "half a pair": b'"\\ud800"',
    "a hundred thousand fields": b"{%b}" % b",".join(b'"f:%d":{}' % i for i in range(100_000)),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", ["managedFields", "status"])
def test_nothing_in_managed_fields_or_status_keeps_a_workload_from_being_pinned(
    odd: bytes, place: str
) -> None:
    obj: dict[str, Any] = {**NODE_AGENT, "metadata": {**NODE_AGENT["metadata"]}}
    if place == "status":
        obj["status"] = {"x": MARK}
    else:
        obj["metadata"]["managedFields"] = [{"fieldsV1": MARK}]
    for operation, old in (("CREATE", None), ("UPDATE", obj)):
        sent = body(obj, operation, old, marked=odd)

        assert patch_of(answer(Hook.MUTATE, sent)), operation
        assert answer(Hook.VALIDATE, body(obj, marked=odd))["response"]["allowed"] is False


def too_long(**pod: Any) -> bytes:
    return body(worst.daemonset({"containers": [{"name": "c", "image": "x", "args": [MARK]}], **pod}), marked=b'"%b"' % (b"\\u003c" * (exchange.BODY_MAX // 6)))  # fmt: skip


BEYOND: dict[str, Callable[[], bytes]] = {
    "too deep": lambda: body(clone_set(), marked=nested(300)),
    "far too deep": lambda: body(clone_set(), marked=nested(9_000)),
    "an owner too deep": lambda: body(clone_set({}, ownerReferences=[MARK]), marked=nested(300)),
    "too many terms": lambda: body(worst.daemonset(worst.affinity(*[worst.term(("a", "Exists"))] * 10_001))),
    "too many values": lambda: body(worst.daemonset(worst.affinity(worst.term(("a", "In", *["x"] * 100_000))))),
    "too many labels": lambda: body(worst.daemonset({"nodeSelector": {f"l{i}": "" for i in range(100_001)}})),
    "too many pieces": lambda: body(clone_set(), marked=b"[%b]" % b",".join([b'{"a":0}'] * 1_300_000)),
    "too long": too_long,
}  # fmt: skip


@pytest.mark.parametrize("made", BEYOND.values(), ids=BEYOND)
def test_what_is_beyond_a_bound_is_let_through_with_a_warning_and_denied_at_the_end(
    made: Callable[[], bytes],
) -> None:
    sent = made()
    mutated = answer(Hook.MUTATE, sent)["response"]
    validated = answer(Hook.VALIDATE, sent)["response"]

    assert mutated["allowed"] is True
    assert "patch" not in mutated
    assert mutated["warnings"][0].startswith("HG109 cannot be judged: ")
    assert validated["allowed"] is False
    assert validated["status"]["code"] == 403
    assert validated["status"]["message"].startswith("HG109 cannot be judged: ")
    assert mutated["uid"] == validated["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"


def test_just_within_the_bounds_a_workload_is_pinned() -> None:
    for made in (
        body(clone_set(), marked=nested(230)),
        body(worst.daemonset(worst.affinity(*[worst.term(("a", "Exists"))] * 10_000))),
        body(worst.daemonset(worst.affinity(worst.term(("a", "In", *["x"] * 99_998))))),
        body(worst.daemonset({"nodeSelector": {f"l{i}": "" for i in range(100_000)}})),
        body(worst.daemonset({"containers": [{"args": [MARK]}]}), marked=b'"%b"' % (b"\\u003c" * 3_000_000)),
    ):  # fmt: skip
        assert patch_of(answer(Hook.MUTATE, made))


PASSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an object that is being deleted": ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, {}),
    "a subresource": ({}, {"subResource": "scale"}),
    "a system controller": ({}, {"user": "system:kube-controller-manager"}),
    "asked for nothing": ({"namespace": "elsewhere"}, {"namespace": "elsewhere"}),
}


@pytest.mark.parametrize(("metadata", "request_parts"), PASSES.values(), ids=PASSES)
@pytest.mark.parametrize("marked", [nested(300), b'["%b"]' % (b"x" * exchange.BODY_MAX)], ids=["deep", "long"])  # fmt: skip
def test_what_nobody_judges_passes_beyond_every_bound(
    metadata: dict[str, Any], request_parts: dict[str, Any], marked: bytes
) -> None:
    sent = body(clone_set(**metadata), marked=marked, **request_parts)
    for hook in Hook:
        assert answer(hook, sent)["response"]["allowed"] is True


@pytest.mark.parametrize("marked", [nested(300), b"[%b]" % b",".join([b'{"a":0}'] * 700_000)], ids=["deep", "many"])  # fmt: skip
def test_beyond_a_bound_only_writes_that_leave_the_template_alone_pass(marked: bytes) -> None:
    def validated(new: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = answer(Hook.VALIDATE, body(new, "UPDATE", clone_set(), marked=marked))["response"]  # fmt: skip
        return response

    same = validated(clone_set(annotations={"a": "b"}, finalizers=["x/y"]))
    relabelled = validated(clone_set(labels={"hybrid-guard.io/placement": "any"}))
    other = validated({**clone_set(), "spec": {"template": {"spec": {"more": [MARK]}}}})

    assert same["allowed"] is True
    assert same["warnings"][0].startswith("HG109 ")
    assert relabelled["allowed"] is False
    assert other["allowed"] is False


def test_where_policy_only_warns_it_warns() -> None:
    by = policy("defaults: {action: warn}\nrules: [{name: home, match: {namespaces: [home]}, placement: on-prem}]\n")  # fmt: skip
    response = answer(Hook.VALIDATE, body(clone_set(), marked=nested(300)), by=by)["response"]

    assert response["allowed"] is True
    assert response["warnings"][0].startswith("HG109 ")


def test_rules_and_add_ons_that_go_by_image_count_where_images_are_not_read() -> None:
    def allowed(rules: str, obj: dict[str, Any]) -> bool:
        many = b"[%b]" % b",".join([b'{"a":0}'] * 1_300_000)
        sent = body(obj, marked=many)
        return bool(answer(Hook.VALIDATE, sent, by=policy(rules))["response"]["allowed"])

    image = "match: {images: [corp/*]}"
    stranger = worst.daemonset({"tolerations": MARK}, "stranger")
    assert not allowed(f"rules: [{{name: corp, {image}, placement: on-prem}}]\n", clone_set())
    assert allowed(f"rules: [{{name: corp, {image}, placement: any}}]\n", clone_set())
    assert not allowed("rules: []\n", stranger)
    assert allowed("catalogue: false\n", stranger)
    assert allowed("rules: [{name: free, match: {names: [stranger]}, placement: any}]\n", stranger)


def test_a_long_body_that_is_no_review_is_a_bad_call() -> None:
    for text in (b"x" * (exchange.BODY_MAX + 1), b'{"a":"' + b"x" * exchange.BODY_MAX + b'"}'):
        with pytest.raises((StrictJSONError, ReviewError)):
            exchange.answer(Hook.MUTATE, text, POLICY)


def test_an_integer_over_64_bits_beside_a_term_is_no_error_of_ours() -> None:
    first = {"matchExpressions": [], "matchFields": [], "size": MARK}
    obj = worst.daemonset(worst.affinity({**worst.term(("a", "Exists")), "size": MARK}, first))

    for digits in (b"18446744073709551616", b"99999999999999999999", b"1.5"):
        assert patch_of(answer(Hook.MUTATE, body(obj, marked=digits)))
