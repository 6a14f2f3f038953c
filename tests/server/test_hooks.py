"""One decision: what only shows when we are wrong, or when the server is full."""

from __future__ import annotations

import json

import pytest

from tests.admission import worst
from tests.reviews import patch_of, review
from tests.server.test_server import calico
from webhook.admission import exchange
from webhook.policy import parse
from webhook.policy.words import Network
from webhook.server import hooks
from webhook.server.answers import CallError

POLICY = parse.for_network(Network.BGP)
MUTATE, VALIDATE = hooks.route("/mutate"), hooks.route("/validate")
HEAD = 256 * 1024


def head(annotation: int) -> bytes:
    """Return what a server has read of a DaemonSet when it sees that it is a large one."""
    workload = worst.daemonset({"hostname": "x" * HEAD})
    workload["metadata"]["annotations"] = {"a": "x" * annotation}
    return json.dumps(review(workload)).encode()[:HEAD]


def test_an_error_of_ours_is_a_500_without_a_word_of_the_object(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("c4n4ry")

    monkeypatch.setattr(exchange, "answer", broken)
    assert MUTATE is not None
    with pytest.raises(CallError) as raised:
        hooks.decide(MUTATE, b"{}", POLICY)

    assert raised.value.status == 500
    assert json.loads(raised.value.body) == {"status": 500, "error": "internal error"}
    logged = capfd.readouterr().out
    assert '"event":"internal-error"' in logged
    assert '"type":"RuntimeError"' in logged
    assert "c4n4ry" not in logged


@pytest.mark.parametrize("annotation", [0, 2 * HEAD], ids=["in the spec", "in the metadata"])
def test_what_has_no_turn_is_judged_by_its_head_and_slips_past_no_hook(annotation: int) -> None:
    assert MUTATE is not None
    assert VALIDATE is not None
    mutated = json.loads(hooks.decide_from_head(MUTATE, head(annotation), POLICY))["response"]
    validated = json.loads(hooks.decide_from_head(VALIDATE, head(annotation), POLICY))["response"]

    assert mutated["allowed"] is True
    assert not patch_of({"response": mutated})
    assert mutated["warnings"][0].startswith("HG109 ")
    assert validated["allowed"] is False
    assert validated["status"]["code"] == 403
    assert "too many large reviews came at once; apply it again" in validated["status"]["message"]


def test_one_whose_head_tells_nothing_is_to_be_tried_again() -> None:
    assert VALIDATE is not None
    with pytest.raises(CallError) as raised:
        hooks.decide_from_head(VALIDATE, b'{"a":"' + b"x" * HEAD, POLICY)

    assert raised.value.status == 503
    assert "Retry-After: 1" in raised.value.headers


def test_a_small_review_is_decided_as_it_was() -> None:
    assert MUTATE is not None
    answer = hooks.decide(MUTATE, json.dumps(review(calico())).encode(), POLICY)
    assert patch_of(json.loads(answer))
