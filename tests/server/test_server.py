"""The real server over TLS: gates, deadlines, reloads, draining."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certs import issue
from tests.reviews import patch_of, review
from tests.serving import ROOT, Answer, Server
from webhook.admission import exchange
from webhook.server.program import GRACEFUL_SECONDS

POLICY = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: {}\n"
JSON = "application/json"


def calico(**metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system", **metadata},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}},
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--network", "bgp") as started:
        yield started


@pytest.fixture
def policy_server(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.format("bgp"))
    with Server("--policy", str(path)) as started:
        yield started, path


def test_both_hooks_and_their_namespace_paths_answer(server: Server) -> None:
    web = {**calico(), "kind": "Deployment", "metadata": {"name": "web", "namespace": "x"}}

    assert patch_of(server.review("/mutate", review(calico())).json())
    assert not server.review("/validate", review(calico())).json()["response"]["allowed"]
    assert not patch_of(server.review("/mutate", review(web)).json())
    for side, operator in (("on-prem", "NotIn"), ("cloud", "In")):
        answer = server.review(f"/mutate/{side}", review(web)).json()
        assert operator in json.dumps(patch_of(answer))
        assert not server.review(f"/validate/{side}", review(web)).json()["response"]["allowed"]


def test_metrics_answer_while_a_worker_comes_up() -> None:
    """A worker makes its files, then their length: between the two they are empty."""
    made = "os.path.join(os.environ['PROMETHEUS_MULTIPROC_DIR'], 'counter_1.db')"
    before = f"import os\nos.register_at_fork(after_in_child=lambda: open({made}, 'w').close())\n"
    with Server("--network", "bgp", before=before) as server:
        answer = server.request("GET", "/metrics")

    assert answer.status == 200
    assert b"hybrid_guard_policy_generation 1.0" in answer.body


def test_below_break_glass_any_path_answers_as_validate_and_grows_no_metric() -> None:
    with Server("--network", "bgp") as server:
        for path in ("/validate/break-glass/kubectl/delete/it", "/validate/break-glass/x/"):
            assert not server.review(path, review(calico())).json()["response"]["allowed"]
        metrics = server.request("GET", "/metrics").body.decode()
        decided = 'hybrid_guard_decisions_total{hook="validate",rule="catalogue/calico",'
        assert f'{decided}verdict="denied"}} 2.0' in metrics
        assert "break" not in metrics
        assert server.review("/validate/break-glass", review(calico())).status == 404
        assert server.review("/mutate/break-glass/x", review(calico())).status == 404
        assert server.request("GET", "/validate/break-glass/x").status == 405


def test_probes_version_and_metrics_answer(server: Server) -> None:
    server.review("/mutate", review(calico()))

    assert server.request("GET", "/livez").status == 200
    assert server.request("GET", "/readyz").json() == {"status": "ready"}
    assert server.request("GET", "/version").json()["version"]
    metrics = server.request("GET", "/metrics").body.decode()
    assert (
        'hybrid_guard_decisions_total{hook="mutate",rule="catalogue/calico",verdict="injected"}'
        in metrics
    )
    assert "hybrid_guard_decision_seconds_bucket" in metrics
    assert "hybrid_guard_policy_generation 1.0" in metrics
    assert "hybrid_guard_certificate_not_after_seconds" in metrics


def body(text: bytes) -> dict[str, Any]:
    return {"body": text, "content_type": JSON}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/mutate", body(b"["*100_000), 400),
        ("POST", "/mutate", body(b"1"*5000), 400),
        ("POST", "/mutate", body(b'{"a":NaN}'), 400),
        ("POST", "/mutate", body(b'{"a":1,"a":2}'), 400),
        ("POST", "/mutate", body(b'"\\ud800"'), 400),
        ("POST", "/mutate", body("{}".encode("utf-16")), 400),
        ("POST", "/mutate", body(b"null"), 400),
        ("POST", "/mutate", body(b"[]"), 400),
        ("POST", "/mutate", body(b"{}"), 400),
        ("POST", "/mutate", body(b""), 400),
        ("POST", "/validate", body(b'{"apiVersion":"admission.k8s.io/v1beta1"}'), 400),
        ("POST", "/mutate", {"body": b"{}", "content_type": "application/foo+json"}, 415),
        ("POST", "/mutate", {"body": b"{}", "content_type": "application/json; charset=latin-1"}, 415),
        ("POST", "/mutate", {"body": b"{}"}, 415),
        ("POST", "/mutate", {**body(b"{}"), "content_encoding": "gzip"}, 415),
        ("GET", "/mutate", {}, 405),
        ("PUT", "/validate", body(b"{}"), 405),
        ("OPTIONS", "/mutate", {}, 405),
        ("HEAD", "/mutate", {}, 405),
        ("POST", "/livez", body(b"{}"), 405),
        ("GET", "/nope", {}, 404),
        ("POST", "/mutate/", body(b"{}"), 404),
        ("POST", "/mutate/any", body(b"{}"), 404),
    ],
)  # fmt: skip
def test_a_bad_call_gets_a_short_json_error(
    server: Server, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = server.request(method, path, **options)

    assert answer.status == status
    assert answer.headers["Content-Type"] == JSON
    assert len(answer.body) <= 200
    if method != "HEAD":
        assert answer.json()["status"] == status


def chunked(server: Server, path: str, text: bytes) -> Any:
    connection = server.connect()
    half = len(text) // 2
    headers = {"Content-Type": JSON, "Transfer-Encoding": "chunked"}
    connection.request("POST", path, iter([text[:half], text[half:]]), headers, encode_chunked=True)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


@pytest.mark.serial
def test_a_body_over_the_cap_that_is_no_review_is_refused_announced_or_not(server: Server) -> None:
    large = b'{"a":"' + b"x" * exchange.BODY_MAX + b'"}'
    assert server.request("POST", "/mutate", large, content_type=JSON).status == 413
    assert chunked(server, "/mutate", large).status == 413
    assert server.request("GET", "/readyz").status == 200


@pytest.mark.serial  # a call of 50 MB has three seconds
def test_a_review_over_the_cap_is_read_to_its_end_and_answered(server: Server) -> None:
    # A client that is still sending when the answer comes reports a broken pipe, not the answer.
    obj = calico()
    obj["spec"]["template"]["spec"]["hostname"] = "x" * (exchange.BODY_MAX + 20_000_000)
    sent = json.dumps(review(obj)).encode()

    for answer in (server.review("/mutate", sent), chunked(server, "/mutate", sent)):
        assert answer.json()["response"]["allowed"] is True
        assert answer.json()["response"]["warnings"][0].startswith("HG109 ")
    for answer in (server.review("/validate", sent), chunked(server, "/validate", sent)):
        assert answer.json()["response"]["allowed"] is False
        assert answer.json()["response"]["status"]["code"] == 403


def test_an_update_that_grows_to_18_mib_and_drops_its_term_is_pinned_again(server: Server) -> None:
    old, new = calico(), calico()
    old["spec"]["template"]["spec"]["nodeSelector"] = {"alibabacloud.com/external": "false"}
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "a", "value": "<" * 3_000_000}
    ]
    sent = json.dumps(review(new, "UPDATE", old)).replace("<", "\\u003c").encode()

    assert len(sent) > 18_000_000
    assert patch_of(server.review("/mutate", sent).json())
    assert server.review("/validate", sent).json()["response"]["allowed"] is False


def test_a_review_of_3_mib_objects_is_answered(server: Server) -> None:
    obj = calico(annotations={"large": "x" * 3_000_000})

    answer = server.review("/mutate", review(obj, "UPDATE", obj)).json()

    assert patch_of(answer)


def open_raw(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=30)


def stall(server: Server, kind: str) -> socket.socket:
    """Open a connection that stops half-way."""
    raw = open_raw(server)
    if kind == "nothing":
        return raw
    if kind == "one byte":
        raw.sendall(b"\x16")
        return raw
    secure = server.context().wrap_socket(raw, server_hostname=server.host)
    head = b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    if kind == "half header":
        secure.sendall(head)
    if kind == "half body":
        secure.sendall(head + b"Content-Length: 1000\r\n\r\n{")
    return secure


@pytest.mark.parametrize("kind", ["nothing", "one byte", "tls idle", "half header, half body"])
def test_stalled_clients_neither_hang_the_server_nor_stay(server: Server, kind: str) -> None:
    kinds = kind.split(", ")
    stalled = [stall(server, kinds[number % len(kinds)]) for number in range(72)]
    try:
        for _ in range(10):
            assert patch_of(server.review("/mutate", review(calico())).json())
        if kind != "tls idle":  # that one is a spare: it waits for its first call
            for connection in stalled:
                connection.settimeout(20)
                closed = b""
                with contextlib.suppress(OSError):  # a reset is a hard close
                    closed = connection.recv(1000)
                assert b"200 OK" not in closed
    finally:
        for connection in stalled:
            connection.close()
    assert server.request("GET", "/livez").status == 200


def served_serial(server: Server) -> str:
    with server.context().wrap_socket(open_raw(server), server_hostname=server.host) as secure:
        found = secure.getpeercert()
        assert found is not None
        return str(found["serialNumber"])


def test_a_new_certificate_serves_without_a_restart_and_a_broken_one_does_not() -> None:
    with Server("--network", "bgp") as server:
        first = served_serial(server)
        server.key.write_bytes(b"broken")
        for _ in range(60):
            if any(line["event"] == "certificate-refused" for line in server.lines):
                break
            assert served_serial(server) == first
        assert served_serial(server) == first
        server.write_pair(issue.leaf(server.authority, ("127.0.0.1",), dt.datetime.now(dt.UTC)))
        until(lambda: served_serial(server) != first)
        assert server.review("/mutate", review(calico())).status == 200
        assert server.request("GET", "/readyz").status == 200


def until(check: Any, seconds: float = 20) -> None:
    """Ask again until it is so; a short wait between, a deadline behind."""
    done = threading.Event()
    for _ in range(int(seconds * 10)):
        if check():
            return
        done.wait(0.1)
    raise AssertionError("it never came to be")


def test_an_expired_certificate_makes_it_not_ready() -> None:
    server = Server("--network", "bgp")
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=100)
    server.write_pair(issue.leaf(server.authority, ("127.0.0.1",), then))
    with server:
        context = server.context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        server.context = lambda: context  # type: ignore[method-assign]
        answer = server.request("GET", "/readyz")
        assert answer.status == 503
        assert answer.json()["reason"] == "the certificate has expired"
        assert server.request("GET", "/livez").status == 200


def test_a_new_policy_serves_and_a_broken_one_leaves_the_last_good_one(
    policy_server: tuple[Server, Path],
) -> None:
    server, path = policy_server

    def injects() -> bool:
        return bool(patch_of(server.review("/mutate", review(calico())).json()))

    assert injects()
    path.write_text(POLICY.format("vxlan") + "rule: []\n")
    refused = server.wait_for("policy-refused")
    assert any("network" in text and ":3:1" in text for text in refused["problems"])
    assert injects()
    # Each worker tells of its own; the metric is the newest.
    until(
        lambda: (
            b"hybrid_guard_policy_last_load_failed 1.0" in server.request("GET", "/metrics").body
        )
    )
    path.write_text(POLICY.format("overlay"))
    until(lambda: not any(injects() for _ in range(6)))
    until(
        lambda: (
            b"hybrid_guard_policy_last_load_failed 0.0" in server.request("GET", "/metrics").body
        )
    )


def test_sigterm_answers_what_is_under_way_and_ends_well(
    policy_server: tuple[Server, Path],
) -> None:
    server, _ = policy_server
    secure = server.context().wrap_socket(open_raw(server), server_hostname=server.host)
    sent = json.dumps(review(calico())).encode()
    secure.sendall(
        b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(sent)}\r\n\r\n".encode()
        + sent[:-1]
    )
    # A whole request on another connection has been served, so the half one has a thread by now.
    assert server.request("GET", "/livez").status == 200
    server.process.send_signal(signal.SIGTERM)
    secure.sendall(sent[-1:])
    answer = secure.recv(100)
    secure.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert server.stop() == 0


def workers(server: Server) -> list[int]:
    """Return both workers, as soon as both run: a server listens before they do."""
    running: list[int] = []

    def are_both() -> bool:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(server.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        running[:] = map(int, listed.stdout.split())
        return len(running) == 2

    until(are_both)
    return running


def test_a_worker_that_is_told_to_stop_as_it_comes_up_stops() -> None:
    slow = "import os, time\nos.register_at_fork(after_in_child=lambda: time.sleep(1))\n"
    with Server("--network", "bgp", before=slow) as server:
        assert workers(server)
        server.process.send_signal(signal.SIGTERM)

        # Whoever does not stop by then is killed.
        assert server.process.wait(GRACEFUL_SECONDS - 1) == 0


def test_a_killed_worker_is_replaced(policy_server: tuple[Server, Path]) -> None:
    server, _ = policy_server
    before = workers(server)
    os.kill(before[0], signal.SIGKILL)

    until(lambda: workers(server) != before)
    assert server.review("/mutate", review(calico())).status == 200


def test_a_decision_is_one_line_and_holds_no_body(server: Server) -> None:
    before = len(server.lines)
    server.review("/mutate", review(calico(annotations={"canary": "c4n4ry"})))
    line = server.wait_for("decision", after=before)

    assert {k: line[k] for k in ("hook", "kind", "object", "rule", "verdict", "operation")} == {
        "hook": "mutate", "kind": "DaemonSet", "object": "kube-system/calico-node",
        "rule": "catalogue/calico", "verdict": "injected", "operation": "CREATE",
    }  # fmt: skip
    assert line["ms"] > 0
    assert "c4n4ry" not in "".join(server.text)


def test_client_certificates_are_asked_for_on_the_hooks_alone(tmp_path: Path) -> None:
    clients = issue.authority(dt.datetime.now(dt.UTC))
    (tmp_path / "clients.pem").write_bytes(clients.pem)
    with Server("--network", "bgp", "--client-ca", str(tmp_path / "clients.pem")) as server:
        assert server.request("GET", "/readyz").status == 200
        assert server.review("/mutate", review(calico())).status == 401


@pytest.mark.parametrize(
    ("certificate", "message"),
    [(b"not pem", "tls.crt: not a PEM certificate"), (None, "tls.crt: No such file")],
)
def test_it_does_not_start_with_a_certificate_that_cannot_serve(
    certificate: bytes | None, message: str
) -> None:
    server = Server("--network", "bgp")
    if certificate is None:
        server.certificate.unlink()
    else:
        server.certificate.write_bytes(certificate)

    with pytest.raises(AssertionError, match="no listening"):
        server.__enter__()
    assert message in "".join(server.text)
    assert server.stop() == 2
    server.__exit__()


def waiting(folder: Path, seconds: str) -> subprocess.Popen[str]:
    """Start a server whose pair is not there yet."""
    command = [
        sys.executable, "-m", "webhook", "serve", "--network", "bgp", "--host", "127.0.0.1", "--port", "0",
        "--cert", str(folder / "tls.crt"), "--key", str(folder / "tls.key"), "--cert-wait", seconds,
    ]  # fmt: skip
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def test_it_waits_for_a_pair_that_a_rotator_still_has_to_write(tmp_path: Path) -> None:
    with waiting(tmp_path, "60") as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["event"] == "waiting-for-certificate"
        pair = issue.dev_pair(("localhost",))
        (tmp_path / "tls.key").write_bytes(pair.key)
        (tmp_path / "tls.crt").write_bytes(pair.certificate)
        events = (json.loads(line)["event"] for line in child.stdout if line.startswith("{"))
        assert "listening" in events
        child.terminate()
        child.communicate(timeout=30)


def test_it_ends_with_one_line_when_the_pair_does_not_come(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").touch()
    with waiting(tmp_path, "0.2") as child:
        told, failed = child.communicate(timeout=30)

    assert child.returncode == 3
    assert [json.loads(line)["event"] for line in told.splitlines()] == ["waiting-for-certificate"]
    (line,) = failed.splitlines()
    assert line.startswith(f"{tmp_path / 'tls.key'}: still missing after 0.2 s")
