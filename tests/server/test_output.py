"""What the server writes stops no answer, and is never longer than a pipe takes at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.reviews import review
from tests.server.test_server import calico, until, workers
from tests.serving import Server
from webhook.admission.record import Record
from webhook.telemetry import logs


def metric(server: Server, name: str) -> float:
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


class Unread(Server):
    """A server whose standard output nobody reads, once it has said where it listens."""

    def _read(self) -> None:
        assert self.process.stdout is not None
        while not self.lines:
            text = os.read(self.process.stdout.fileno(), 1 << 16).decode()
            with self._news:
                self.lines += [json.loads(line) for line in text.splitlines()]
                self._news.notify_all()


@contextmanager
def unread() -> Iterator[Server]:
    with Unread("--network", "bgp") as server:
        yield server
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()


def test_an_output_that_nobody_reads_holds_nobody_up() -> None:
    with unread() as server:
        connection = server.connect()
        body = json.dumps(review(calico()))
        for _ in range(600):  # 64 KiB hold some 250 lines
            connection.request("POST", "/mutate", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
        connection.close()
        assert metric(server, "hybrid_guard_log_lines_dropped_total") > 100


def test_an_output_that_is_gone_holds_nobody_up() -> None:
    with unread() as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        assert server.review("/mutate", review(calico())).status == 200


def test_a_line_is_bounded_whatever_a_name_is() -> None:
    names = {"name": '"\u0001' * 100_000, "namespace": "ü" * 100_000}
    with Server("--network", "bgp") as server:
        server.review("/mutate", review({**calico(**names), "kind": "x" * 100_000}))
        line = server.wait_for("decision")
        told = next(text for text in server.text if '"decision"' in text)

    assert len(told.encode()) <= 4096
    assert line["verdict"] == "left-alone"
    assert line["object"].startswith("üüü")
    assert line["object"].endswith("...")


def test_a_list_of_problems_is_bounded_and_counts_what_it_leaves_out(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.event("policy-refused", problems=[f"{number}: {'x' * 5000}" for number in range(500)])
    told = capfd.readouterr().out
    problems = json.loads(told)["problems"]

    assert len(told) <= 4096
    assert problems[0].startswith("0: xxx")
    assert problems[-1] == "and 492 more"


def test_a_short_line_is_written_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    problems = [f"{number}: short" for number in range(30)]
    logs.event("policy-refused", problems=problems)
    assert json.loads(capfd.readouterr().out)["problems"] == problems


def test_a_file_as_output_keeps_every_line() -> None:
    with Server("--network", "bgp") as server:
        path = server.folder / "log"
        with path.open("wb") as file:
            second = subprocess.Popen(server.command(["--network", "bgp"]), stdout=file)
            try:
                until(lambda: b"listening" in path.read_bytes())
            finally:
                second.terminate()
                assert second.wait(30) == 0


def test_a_workers_death_is_one_line_and_one_metric() -> None:
    with Server("--network", "bgp") as server:
        before = workers(server)
        os.kill(before[0], signal.SIGKILL)
        server.wait_for("worker-died")
        until(lambda: before[0] not in workers(server))
        assert server.review("/mutate", review(calico())).status == 200
        until(lambda: metric(server, "hybrid_guard_workers_died_total") == 1)
        died = [line for line in server.lines if line["event"] not in ("listening", "decision")]

    assert [line["event"] for line in died] == ["worker-died"]
    assert died[0]["problem"].startswith(f"Worker (pid:{before[0]}) was sent SIGKILL!")


def test_a_stop_is_no_death() -> None:
    with Server("--network", "bgp") as server:
        workers(server)
        assert server.stop() == 0
        assert {line["event"] for line in server.lines} == {"listening"}


def test_a_record_has_no_field_that_a_line_does_not_bound() -> None:
    """Whoever adds one of another kind than text or a flag has to think of its length."""
    kinds = {str(kind) for kind in Record.__annotations__.values()}
    assert kinds <= {"str", "str | None", "bool", "Hook", "Word"}
