from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reviews import review
from webhook.admission import review as wire
from webhook.admission.review import Operation, ReviewError

CANARY = "Canary0123456789"
OBJECT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "home"},
}


def edited(edit: Callable[[dict[str, Any]], Any], operation: str = "UPDATE") -> dict[str, Any]:
    sent = review(copy.deepcopy(OBJECT), operation, copy.deepcopy(OBJECT))
    edit(sent)
    return sent


def test_a_request_is_decoded_into_what_is_asked_of_it() -> None:
    request = wire.decode(review(OBJECT, "UPDATE", OBJECT, user="u", dryRun=True, subResource="x"))

    assert request.operation is Operation.UPDATE
    assert (request.group, request.version, request.kind) == ("apps", "v1", "Deployment")
    assert (request.namespace, request.name, request.sub_resource) == ("home", "web", "x")
    assert (request.username, request.groups) == ("u", ("system:authenticated",))
    assert request.dry_run
    assert request.object == request.old_object == OBJECT
    assert str(request.ref) == "Deployment/home/web"
    assert request.ref.api_version == "apps/v1"


BAD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "beta": lambda r: r.update(apiVersion="admission.k8s.io/v1beta1"),
    "other kind": lambda r: r.update(kind=CANARY),
    "kind of another case": lambda r: r.update(kind="admissionreview"),
    "no apiVersion": lambda r: r.pop("apiVersion"),
    "no request": lambda r: r.pop("request"),
    "null request": lambda r: r.update(request=None),
    "list request": lambda r: r.update(request=[CANARY]),
    "no uid": lambda r: r["request"].pop("uid"),
    "empty uid": lambda r: r["request"].update(uid=""),
    "number uid": lambda r: r["request"].update(uid=1),
    "no operation": lambda r: r["request"].pop("operation"),
    "unknown operation": lambda r: r["request"].update(operation=CANARY),
    "lower case operation": lambda r: r["request"].update(operation="create"),
    "operation of a type that cannot be looked up": lambda r: r["request"].update(operation=[1]),
    "no kind": lambda r: r["request"].pop("kind"),
    "text kind": lambda r: r["request"].update(kind=CANARY),
    "kind without a name": lambda r: r["request"]["kind"].pop("kind"),
    "number group": lambda r: r["request"]["kind"].update(group=1),
    "list namespace": lambda r: r["request"].update(namespace=[CANARY]),
    "number name": lambda r: r["request"].update(name=1),
    "text user": lambda r: r["request"].update(userInfo=CANARY),
    "list username": lambda r: r["request"]["userInfo"].update(username=[CANARY]),
    "null object": lambda r: r["request"].update(object=None),
    "text object": lambda r: r["request"].update(object=CANARY),
    "null oldObject": lambda r: r["request"].update(oldObject=None),
    "list oldObject": lambda r: r["request"].update(oldObject=[CANARY]),
    "object subResource": lambda r: r["request"].update(subResource={CANARY: 1}),
}


@pytest.mark.parametrize("edit", BAD.values(), ids=BAD.keys())
def test_what_is_no_review_is_a_bad_call_that_quotes_nothing(
    edit: Callable[[dict[str, Any]], Any],
) -> None:
    with pytest.raises(ReviewError) as raised:
        wire.decode(edited(edit))

    assert 0 < len(str(raised.value)) < 100
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize("document", [None, [], "x", 1, True, {}])
def test_what_is_no_object_is_a_bad_call(document: object) -> None:
    with pytest.raises(ReviewError):
        wire.decode(document)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (review(OBJECT), "web"),
        (review(OBJECT, name=""), "web"),
        (review({**OBJECT, "metadata": {"generateName": "web-"}}), "web-*"),
        (review({**OBJECT, "metadata": {}}), ""),
        (review({**OBJECT, "metadata": {"name": 5}}, name=None), ""),
        (review(None, "DELETE", OBJECT, name=None), "web"),
    ],
    ids=["given", "in the object", "to be generated", "none", "of a wrong type", "deleted"],
)
def test_the_name_is_exact_or_ends_in_an_asterisk(sent: dict[str, Any], name: str) -> None:
    assert wire.decode(sent).name == name


def test_a_delete_needs_no_object_and_a_connect_no_old_one() -> None:
    assert wire.decode(review(None, "DELETE", OBJECT)).object is None
    assert wire.decode(review(None, "DELETE", OBJECT, oldObject=None)).old_object is None
    assert wire.decode(review(OBJECT, "CONNECT")).old_object is None


def test_what_the_api_server_may_leave_out_may_be_left_out() -> None:
    sent = review(OBJECT)
    for key in ("dryRun", "options", "oldObject", "userInfo", "namespace", "requestKind"):
        del sent["request"][key]

    request = wire.decode(sent)

    assert (request.username, request.groups, request.dry_run) == ("", (), False)
    assert request.namespace == "home"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(json_values, st.sampled_from(sorted(review(OBJECT)["request"])))
def test_any_part_of_any_type_is_decoded_or_a_bad_call(value: Any, key: str) -> None:
    try:
        request = wire.decode(review(OBJECT, **{key: value}))
    except ReviewError:
        return
    assert request.uid
    assert isinstance(request.object, dict)
