"""The hooks' WSGI seam: what only shows when the server is full, or when we are wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.reviews import review
from webhook.admission import exchange
from webhook.policy import parse
from webhook.policy.words import Network
from webhook.server import hooks
from webhook.server.hooks import Guard, Hooks

POLICY = parse.for_network(Network.BGP)
LARGE = {"apiVersion": "v1", "kind": "Secretless", "metadata": {"name": "x"}, "text": "x" * 300_000}


def call(application: Hooks, body: bytes, **environ: str) -> tuple[str, dict[str, str], Any]:
    answered: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answered.append((status, dict(headers)))

    given = {
        "PATH_INFO": "/mutate", "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **environ,
    }  # fmt: skip
    content = b"".join(application(given, start_response))
    return answered[0][0], answered[0][1], json.loads(content)


@pytest.fixture
def application() -> Hooks:
    guard = Guard(policy=lambda: POLICY, not_ready=lambda: None)
    return Hooks(guard, lambda *_: [b'"elsewhere"'])


def test_a_third_large_body_is_sent_away_to_try_again(application: Hooks) -> None:
    body = json.dumps(review(LARGE)).encode()
    for _ in range(hooks.LARGE_AT_ONCE):
        assert application._large.acquire(blocking=False)  # noqa: SLF001  # fills the server

    status, headers, content = call(application, body, QUERY_STRING="timeout=1s")

    assert status.startswith("503 ")
    assert headers["Retry-After"] == "1"
    assert content == {"status": 503, "error": "too many large bodies at once"}
    application._large.release()  # noqa: SLF001
    assert call(application, body)[0] == "200 OK"
    assert call(application, body)[0] == "200 OK", "each gives its place back"


def test_an_error_of_ours_is_a_500_without_a_word_of_the_object(
    application: Hooks, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("c4n4ry")

    monkeypatch.setattr(exchange, "answer", broken)
    status, _, content = call(application, b"{}")

    assert status.startswith("500 ")
    assert content == {"status": 500, "error": "internal error"}
    logged = capfd.readouterr().out
    assert '"event":"internal-error"' in logged
    assert '"type":"RuntimeError"' in logged
    assert "c4n4ry" not in logged
