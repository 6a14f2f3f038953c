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
    "too many expressions": lambda: body(worst.daemonset(worst.affinity(*[worst.term(("a", "Exists"), ("b", "Exists"), ("c", "Exists"))] * 6_700))),
    "too many values": lambda: body(worst.daemonset(worst.affinity(worst.term(("a", "In", *["x"] * 100_001))))),
    "too many labels": lambda: body(worst.daemonset({"nodeSelector": {f"l{i}": "" for i in range(100_001)}})),
    "too many pieces": lambda: body(clone_set(), marked=b"[%b]" % b",".join([b'{"a":0}'] * 760_000)),
    "too long": too_long,
    # Go's protobuf decoder takes keys that are no UTF-8, and its JSON encoder writes them as one.
    "two keys that Go writes as one": lambda: body(worst.daemonset({"volumes": [{"csi": {"volumeAttributes": MARK}}]}), marked=b'{"\\ufffd":"a","\\ufffd":"b"}'),
    "too many deep parts": lambda: body(clone_set(), marked=b'{"a":' * 250 + b"[%b]" % b",".join([b"[[[[]]]]"] * 50_000) + b"}" * 250),
    "many parts beside the template": lambda: body(clone_set(), marked=nested(300)).replace(b'"replicas":1,', b'"replicas":1,%b,' % b",".join(b'"k%d":[[1]]' % i for i in range(200_000))),
    "many parts beside the spec": lambda: body(clone_set(), marked=nested(300)).replace(b'"spec":', b'%b,"spec":' % b",".join(b'"k%d":[[1]]' % i for i in range(200_000))),
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


RULES = {
    "a label that a rule asks for": "rules: [{name: core, match: {labels: {team: core}}, placement: on-prem}]",
    "a label that lifts a rule's any": (
        "rules: [{name: free, match: {labels: {matchExpressions: [{key: team, operator: DoesNotExist}]}}, placement: any}, {name: core, placement: on-prem}]"
    ),
    "the placement label": "overrides: {namespaces: [home]}",
}


def padded(**metadata: Any) -> bytes:
    """A CloneSet with more parts at its root, and more that are too deep, than are cut one by one."""
    deep = b'{"a":' * 238 + b"[%b]" % b",".join([b"[" * 16 + b"]" * 16] * 1001) + b"}" * 238
    many = b",".join(b'"k%d":[]' % number for number in range(1001))
    return body(clone_set(**metadata), marked=deep).replace(b'"spec":', b'%b,"spec":' % many, 1)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_labels_count_however_much_stands_beside_them(rules: str) -> None:
    by = policy(rules)
    sent = padded(labels={"team": "core", "hybrid-guard.io/placement": "on-prem"})

    assert answer(Hook.MUTATE, sent, by=by)["response"]["warnings"][0].startswith("HG109 ")
    assert answer(Hook.VALIDATE, sent, by=by)["response"]["status"]["message"].startswith("HG109 ")


def test_however_much_stands_beside_it_a_deletion_is_known() -> None:
    sent = padded(deletionTimestamp="2026-01-01T00:00:00Z", labels={"team": "core"})

    for hook in Hook:
        assert answer(hook, sent)["response"]["allowed"] is True


def test_just_within_the_bounds_a_workload_is_pinned() -> None:
    for made in (
        body(clone_set(), marked=nested(230)),
        body(worst.daemonset(worst.affinity(*[worst.term(("a", "Exists"))] * 10_000))),
        body(worst.daemonset(worst.affinity(worst.term(("a", "In", *["x"] * 100_000))))),
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


@pytest.mark.parametrize("marked", [nested(300), b"[%b]" % b",".join([b'{"a":0}'] * 380_000)], ids=["deep", "many"])  # fmt: skip
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


@pytest.mark.parametrize("digits", [b"100000000000000000000", b"-150000000000000000000", b"123456789012345680000"])  # fmt: skip
def test_a_float_that_go_writes_with_21_digits_is_read(digits: bytes) -> None:
    assert patch_of(answer(Hook.MUTATE, body(clone_set(), marked=digits)))


def test_what_readers_would_read_differently_passes_where_nobody_judges() -> None:
    twice = b'{"\\ufffd":"a","\\ufffd":"b"}'
    volumes = {"volumes": [{"csi": {"volumeAttributes": MARK}}]}
    obj = worst.daemonset(volumes)
    relabelled = worst.daemonset(volumes, labels={"a": "b"})
    going = worst.daemonset(volumes, deletionTimestamp="2026-01-01T00:00:00Z")
    moved = worst.daemonset({**volumes, "hostNetwork": True})

    for new in (relabelled, going):
        assert answer(Hook.VALIDATE, body(new, "UPDATE", obj, marked=twice))["response"]["allowed"]
    sent = body(moved, "UPDATE", obj, marked=twice)
    assert not answer(Hook.VALIDATE, sent)["response"]["allowed"]
    scaled = body(obj, "UPDATE", obj, marked=twice, subResource="scale")
    assert answer(Hook.VALIDATE, scaled)["response"]["allowed"]


def test_an_unchanged_template_is_known_where_a_seal_stands_for_all_that_holds_it() -> None:
    many = b",".join(b'"k%d":[{"a":{"a":0}}]' % i for i in range(400_000))

    def sent(new: dict[str, Any]) -> bytes:
        text = body(new, "UPDATE", clone_set([]))
        return text.replace(b'"replicas":1,', b'"replicas":1,%b,' % many)

    assert answer(Hook.VALIDATE, sent(clone_set([], labels={"a": "b"})))["response"]["allowed"]
    assert not answer(Hook.VALIDATE, sent(clone_set([1])))["response"]["allowed"]


def test_a_cut_before_kind_or_template_hides_neither() -> None:
    def cut(obj: dict[str, Any]) -> bytes:
        return body(obj, marked=b'"%b"' % (b"x" * exchange.BODY_MAX))

    before_kind = {"A": MARK, **clone_set([])}
    before_template = clone_set([])
    before_template["spec"] = {"a": MARK, **before_template["spec"]}
    for obj in (before_kind, before_template):
        assert answer(Hook.MUTATE, cut(obj))["response"]["warnings"][0].startswith("HG109 ")
        assert not answer(Hook.VALIDATE, cut(obj))["response"]["allowed"]


def test_a_custom_resource_without_a_template_has_no_pods_to_judge() -> None:
    obj = clone_set([])
    del obj["spec"]["template"]
    for hook in Hook:
        assert answer(hook, body(obj))["response"] == {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": True,
            "auditAnnotations": {"rule": "home", "verdict": "unchanged"},
        }  # fmt: skip


def test_where_policy_only_warns_it_warns() -> None:
    by = policy("defaults: {action: warn}\nrules: [{name: home, match: {namespaces: [home]}, placement: on-prem}]\n")  # fmt: skip
    response = answer(Hook.VALIDATE, body(clone_set(), marked=nested(300)), by=by)["response"]

    assert response["allowed"] is True
    assert response["warnings"][0].startswith("HG109 ")


def test_rules_and_add_ons_that_go_by_image_count_where_images_are_not_read() -> None:
    def allowed(rules: str, obj: dict[str, Any]) -> bool:
        many = b"[%b]" % b",".join([b'{"a":{"a":0}}'] * 440_000)
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


DEEP_MANY = b'{"a":' * 238 + b"[%b]" % b",".join([b"[" * 16 + b"]" * 16] * 1001) + b"}" * 238
ROOT_MANY = b",".join(b'"k%d":[]' % number for number in range(1001))


@pytest.mark.parametrize("odd", [rb"a\"metadata", rb"\\\"metadata", rb"\"metadata", rb"a\"spec"])
def test_a_key_with_an_escape_is_taken_for_no_other(odd: bytes) -> None:
    """In a custom resource anything may stand at the root, beside more than is cut one by one."""
    for metadata, verdict in (({}, False), ({"deletionTimestamp": "2026-11-26T00:00:00Z"}, True)):
        sent = body(clone_set(**metadata), marked=DEEP_MANY).replace(
            b'"spec":', b'"%b":{},%b,"spec":' % (odd, ROOT_MANY), 1
        )

        assert answer(Hook.MUTATE, sent)["response"]["allowed"]
        assert answer(Hook.VALIDATE, sent)["response"]["allowed"] is verdict
