"""What a worker serves outlives it, and no full or read-only disk takes it away."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from certs import issue
from tests.conftest import ROOT, unavailable
from tests.reviews import patch_of, review
from tests.server.test_server import POLICY, calico, served_serial, until, workers
from tests.serving import Server
from webhook.server.kept import Kept

MOUNTS = """
mount -t tmpfs -o size={size} none "$0/tmp" && mount -t tmpfs -o size={size} none /dev/shm || exit 9
[ -z "{options}" ] || mount -o remount,{options} "$0/tmp" && mount -o remount,{options} /dev/shm
export TMPDIR="$0/tmp"; cd /; shift 0; exec "$@"
"""


class Confined(Server):
    """A server whose /dev/shm and temporary folder are its own, of one size or read-only."""

    def __init__(self, *arguments: str, size: str = "1m", options: str = "") -> None:
        super().__init__(*arguments)
        (self.folder / "tmp").mkdir()
        self._mounts = MOUNTS.format(size=size, options=options)

    def command(self, arguments: Sequence[str]) -> list[str]:
        if os.geteuid() != 0:
            unavailable("only root may mount a disk of its own")
        return [
            "unshare", "--mount", "sh", "-c", self._mounts, str(self.folder),
            "env", f"PYTHONPATH={ROOT}", *super().command(arguments),
        ]  # fmt: skip

    def fill(self) -> None:
        """Write to both until there is no room."""
        for folder in (self.folder / "tmp", Path("/dev/shm")):  # noqa: S108  # the server's own
            inside = Path(f"/proc/{self.process.pid}/root{folder}")
            with pytest.raises(OSError, match="No space left"):
                (inside / "all").write_bytes(b"x" * (1 << 21))


def injects(server: Server) -> bool:
    return bool(patch_of(server.review("/mutate", review(calico())).json()))


def kill_all(server: Server) -> None:
    """Kill every worker, and wait until others are there."""
    before = set(workers(server))
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    until(lambda: not before & set(workers(server)))


def count(server: Server, event: str) -> int:
    return [line["event"] for line in server.lines].count(event)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.format("bgp"))
    return path


@pytest.fixture(params=["a disk with room", "full disks"])
def server(request: pytest.FixtureRequest, policy: Path) -> Iterator[Server]:
    is_full = request.param == "full disks"
    with (Confined if is_full else Server)("--policy", str(policy)) as started:
        if isinstance(started, Confined):
            started.fill()
        yield started


def test_the_last_good_policy_and_pair_survive_the_death_of_all_workers(
    server: Server, policy: Path
) -> None:
    """Else a worker that comes up while the file is broken has what it was when the server began."""
    assert injects(server)
    first = served_serial(server)
    policy.write_text(POLICY.format("overlay"))
    server.write_pair(issue.leaf(server.authority, ("127.0.0.1",), dt.datetime.now(dt.UTC)))
    until(lambda: count(server, "policy-loaded") == count(server, "certificate-loaded") == 2)
    second = served_serial(server)
    assert second != first
    policy.write_text("broken: [")
    server.key.write_bytes(b"broken")
    until(lambda: count(server, "policy-refused") == count(server, "certificate-refused") == 2)

    for _ in range(2):
        kill_all(server)
        assert not any(injects(server) for _ in range(6))
        assert served_serial(server) == second
        assert server.request("GET", "/readyz").status == 200

    policy.write_text(POLICY.format("bgp"))
    until(lambda: all(injects(server) for _ in range(6)))
    loaded = [line for line in server.lines if line["event"] == "policy-loaded"]
    assert {line["generation"] for line in loaded} == {2, 3}, "one number a policy, in all workers"


def test_it_starts_and_serves_where_nothing_can_be_written() -> None:
    with Confined("--network", "bgp", options="ro") as server:
        assert injects(server)
        kill_all(server)
        assert injects(server)
        assert server.request("GET", "/metrics").status == 200


def test_metrics_grow_no_further_than_the_disk_and_nobody_dies_of_it(policy: Path) -> None:
    """A mapped file that grows on a full disk kills who writes to it, with SIGBUS."""
    rules = "".join(
        f"  - {{name: r{number}, match: {{namespaces: [n{number}]}}, placement: on-prem}}\n"
        for number in range(900)
    )
    policy.write_text(POLICY.format("bgp") + f"rules:\n{rules}")
    with Confined("--policy", str(policy)) as server:
        server.fill()
        before = workers(server)
        for number in range(900):
            web = {**calico(namespace=f"n{number}", name="web"), "kind": "Deployment"}
            assert patch_of(server.review("/mutate", review(web)).json())
        assert workers(server) == before
        assert server.request("GET", "/metrics").status == 200


def test_what_is_kept_has_one_number_however_often_it_is_kept() -> None:
    kept = Kept(b"first")
    assert [kept.keep(content) for content in (b"first", b"second and longer", b"3", b"3")] == [
        1,
        2,
        3,
        3,
    ]
    assert (kept.read().generation, kept.read().content) == (3, b"3")
