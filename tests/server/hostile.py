"""Hostile clients of many kinds, each beside honest ones: who is answered, and how long it takes.

    python -m tests.server.hostile [--clients N ...] [--seconds S] [--write]

prints a row a kind, and with --write puts the table into docs/serving.md. Loopback only: honest
clients come from 127.0.0.1, hostile ones from 127.0.0.2, each bounded in count and in time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.admission import worst
from tests.reviews import review
from tests.server.test_protocol import BROKEN, GOOD
from tests.server.test_server import calico, until, workers
from tests.serving import ROOT, Server
from webhook.admission import exchange

HOSTILE, HONEST = "127.0.0.2", "127.0.0.1"
HEAD = b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENGTH = "Content-Length: {}\r\n\r\n"
MIB = 1024 * 1024
CALL_SECONDS = 3.0
"""What the chart's hooks wait for an answer."""
PAGE = ROOT / "docs" / "serving.md"
BEGIN, END = "<!-- hostile clients -->", "<!-- end of hostile clients -->"


def body(size: int) -> bytes:
    """Return a review of a DaemonSet of about so many bytes."""
    workload = worst.daemonset({"hostname": "x" * size})
    return json.dumps(review(workload)).encode()


def post(content: bytes) -> bytes:
    """Return a call; how long it waits for the answer, an API server says in the path."""
    head = HEAD.replace(b"/mutate", b"/mutate?timeout=3s")
    return head + LENGTH.format(len(content)).encode() + content


@dataclass(frozen=True)
class Target:
    """The server that is attacked."""

    host: str
    port: int
    authority: str

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority)

    async def plain(
        self, source: str = HOSTILE
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port, local_addr=(source, 0))

    async def secure(
        self, source: str = HOSTILE, context: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            self.host, self.port, local_addr=(source, 0),
            ssl=context or self.context(), server_hostname="127.0.0.1",
        )  # fmt: skip


Kind = Callable[[Target], Awaitable[None]]


def hello() -> bytes:
    """Return the first bytes that a TLS client sends."""
    there = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), there, server_hostname="x")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return there.read()


async def ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the server has had enough."""
    try:
        while await reader.read(1 << 16):
            pass
    finally:
        writer.close()


def plain(sent: Callable[[], bytes]) -> Kind:
    """Return a kind that sends something else than TLS, and waits."""

    async def client(target: Target) -> None:
        reader, writer = await target.plain()
        writer.write(sent())
        await ended(reader, writer)

    return client


def secure(*sent: bytes, pause: float = 0) -> Kind:
    """Return a kind that sends some pieces over TLS, and waits."""

    async def client(target: Target) -> None:
        reader, writer = await target.secure()
        reading = asyncio.ensure_future(ended(reader, writer))
        try:
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                if pause:
                    await asyncio.sleep(pause)
            await reading
        finally:
            reading.cancel()
            writer.close()

    return client


def in_turn(kinds: Sequence[Kind]) -> Kind:
    """Return a kind that is each of some others, one client after another."""
    number = 0

    async def client(target: Target) -> None:
        nonlocal number
        number += 1
        await kinds[number % len(kinds)](target)

    return client


async def old_tls(target: Target) -> None:
    context = target.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    await target.secure(context=context)


async def pages(target: Target) -> None:
    """Ask for metrics as fast as they come."""
    reader, writer = await target.secure()
    for _ in range(50):
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
    writer.close()


LARGEST = exchange.BODY_MAX - 1 * MIB
PIPELINED = (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + GOOD) * 50


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


KINDS: dict[str, Callable[[], Kind]] = {
    "nothing at all": lambda: plain(bytes),
    "one byte": lambda: plain(lambda: b"\x16"),
    "half a hello": lambda: plain(lambda: hello()[:100]),
    "garbage": lambda: plain(lambda: os.urandom(600)),
    "TLS, then silence": lambda: secure(b""),
    "half a head": lambda: secure(HEAD[:40]),
    "a byte a second of a head": lambda: secure(*pieces(HEAD, 1), pause=1),
    "half a body": lambda: secure(HEAD + LENGTH.format(1000).encode() + b"{"),
    "a byte of a body every 0.9 s": lambda: secure(HEAD + LENGTH.format(1000).encode(), *[b" "] * 99, pause=0.9),
    "255 kB of a body, then silence": lambda: secure(post(body(400_000))[:255_000]),
    "a good call, then half a head": lambda: secure(GOOD + HEAD[:40]),
    "100 calls in one piece": lambda: secure(PIPELINED),
    "broken HTTP of all kinds": lambda: in_turn([secure(sent) for sent in BROKEN.values()]),
    "TLS 1.1": lambda: old_tls,
    "metrics without a pause": lambda: pages,
    "the largest body at 1.2 MB/s": lambda: secure(*pieces(post(body(LARGEST)), 120_000), pause=0.1),
    "the largest body": lambda: secure(post(body(LARGEST))),
}  # fmt: skip
"""Every kind by what it does, made when it is used."""

MANY = ("nothing at all", "one byte", "half a hello", "garbage", "TLS, then silence", "half a head")
"""Kinds that cost a client little, so that 2,000 of them can be had."""
FEW_CLIENTS = 64
FEW = {"the largest body": 40, "the largest body at 1.2 MB/s": 40}
A_SECOND = 1000
"""New ones a second at most, where all are cut off at once and come back."""


async def attack(target: Target, kind: Kind, clients: int, seconds: float) -> int:
    """Keep so many clients at it for so long, each coming back when cut off; return how many came."""
    end, came = time.monotonic() + seconds, 0

    async def client() -> None:
        nonlocal came
        while time.monotonic() < end:
            came += 1
            with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
                await asyncio.wait_for(kind(target), max(0.1, end - time.monotonic()))
            await asyncio.sleep(clients / A_SECOND)

    await asyncio.gather(*(client() for _ in range(clients)), return_exceptions=True)
    return came


# Honest clients: a process of their own, so that hostile ones do not slow the clock that is read.


class Honest:
    """Four clients that keep their connection, one that dials anew, one with a body of 1 MiB."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.took: list[float] = []
        self.failed: list[str] = []

    async def _call(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: bytes
    ) -> None:
        writer.write(call)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        if b" 200 " not in head[:15] or b'"patch"' not in answer:
            raise OSError(f"{head[:20]!r} {answer[:120]!r}")

    async def serve(self, call: bytes, *, keeps: bool, pause: float) -> None:
        """Send a call again and again."""
        context, kept = self._target.context(), None
        while True:
            started = time.monotonic()
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    stream = kept or await self._target.secure(HONEST, context)
                    await self._call(*stream, call)
            except (OSError, EOFError) as error:
                self.failed.append(f"{type(error).__name__} {error}")
                kept = None
            else:
                self.took.append(time.monotonic() - started)
                kept = stream if keeps else None
                if not keeps:
                    stream[1].close()
            await asyncio.sleep(pause)

    async def run(self) -> None:
        """Serve, and answer each line on standard input with what was seen since the last."""
        small, large = post(json.dumps(review(calico())).encode()), post(body(MIB))
        tasks = [
            *(asyncio.ensure_future(self.serve(small, keeps=True, pause=0.01)) for _ in range(4)),
            asyncio.ensure_future(self.serve(small, keeps=False, pause=0.05)),
            asyncio.ensure_future(self.serve(large, keeps=True, pause=0.25)),
        ]
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.readline():
            took, failed = sorted(self.took), self.failed
            self.took, self.failed = [], []
            report = {
                "calls": len(took), "failed": len(failed), "why": failed[:3],
                "p99": took[len(took) * 99 // 100] if took else 0.0, "most": took[-1] if took else 0.0,
            }  # fmt: skip
            print(json.dumps(report), flush=True)  # noqa: T201  # what its parent reads
        for task in tasks:
            task.cancel()


def command(role: str, target: Target) -> list[str]:
    return [sys.executable, "-m", "tests.server.hostile", role, target.host, str(target.port)]


def environment(target: Target) -> dict[str, str]:
    return {**os.environ, "AUTHORITY": target.authority}


def run(target: Target, role: str, *arguments: str) -> str:
    """Run hostile clients in a process of their own: what they hold ends with it."""
    done = subprocess.run(
        [*command(role, target), *arguments],
        cwd=ROOT, env=environment(target), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


class Observer:
    """The process of honest clients, and what it has seen."""

    def __init__(self, target: Target) -> None:
        self._process = subprocess.Popen(
            command("--honest", target), cwd=ROOT, env=environment(target),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seen(self) -> dict[str, Any]:
        """Return what was seen since it was last asked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(self._process.stdout.readline())
        return report

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@dataclass(frozen=True)
class Row:
    """What one kind did."""

    kind: str
    clients: int
    came: int
    calls: int
    failed: int
    why: list[str]
    before: float
    during: float
    after: float
    files: int
    peak: int
    left: int


def memory(pid: int, file: str, name: str) -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) // 1024


def total(server: Server, file: str, name: str) -> int:
    """Return MiB of the master and both workers."""
    return sum(memory(pid, file, name) for pid in (server.process.pid, *workers(server)))


def files(server: Server) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers(server))


def observe(
    server: Server, observer: Observer, kind: str, clients: int, seconds: float, calm: float = 2.0
) -> Row:
    """Run one kind beside honest clients, and look at the server before, during and after.

    `calm` is how long it may take to be as before, in seconds, and half of it how long it is looked
    at then.
    """
    target = Target(server.host, server.port, server.authority.pem.decode())
    for pid in (server.process.pid, *workers(server)):
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    until(lambda: observer.seen()["calls"] > 0)
    time.sleep(calm / 2)
    before = observer.seen()
    held, memory_before = files(server), total(server, "smaps_rollup", "Pss")
    came = int(run(target, "--attack", kind, str(clients), str(seconds)))
    during = observer.seen()
    time.sleep(calm)
    observer.seen()
    time.sleep(calm / 2)
    after = observer.seen()
    until(lambda: files(server) <= held + 8)
    return Row(
        kind, clients, came, during["calls"], during["failed"] + after["failed"],
        during["why"] + after["why"], before["p99"], during["p99"], after["p99"],
        files(server) - held, total(server, "status", "VmHWM"),
        total(server, "smaps_rollup", "Pss") - memory_before,
    )  # fmt: skip


def allow_files() -> None:
    """Let this process and its children open thousands of sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))


def clients_of(kind: str, counts: Sequence[int]) -> list[int]:
    if kind in FEW:
        return [FEW[kind]]
    return [count for count in counts if count <= FEW_CLIENTS or kind in MANY]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| clients that send | at once | came | honest calls | failed | p99 before | during | 2 s after | peak, left MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.kind} | {row.clients} | {row.came} | {row.calls} | {row.failed} | {row.before * 1000:.0f} ms"
        f" | {row.during * 1000:.0f} ms | {row.after * 1000:.0f} ms | {row.peak}, {row.left} |"
        for row in rows
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    """Print the table, or be the honest clients."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[64, 2000])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--kind", action="append")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--honest", nargs=2, metavar=("HOST", "PORT"))
    parser.add_argument("--attack", nargs=5, metavar=("HOST", "PORT", "KIND", "CLIENTS", "SECONDS"))
    options = parser.parse_args()
    allow_files()
    if options.honest:
        host, port = options.honest
        asyncio.run(Honest(Target(host, int(port), os.environ["AUTHORITY"])).run())
        return 0
    if options.attack:
        host, port, kind, clients, seconds = options.attack
        target = Target(host, int(port), os.environ["AUTHORITY"])
        print(asyncio.run(attack(target, KINDS[kind](), int(clients), float(seconds))))  # noqa: T201
        return 0
    rows = []
    with Server("--network", "bgp", keeps_log=False) as server:
        observer = Observer(Target(server.host, server.port, server.authority.pem.decode()))
        for kind in options.kind or KINDS:
            for clients in clients_of(kind, options.clients):
                rows.append(observe(server, observer, kind, clients, options.seconds))
                print(table(rows[-1:]).splitlines()[-1], *rows[-1].why, flush=True)  # noqa: T201
        observer.stop()
    if options.write:
        page = PAGE.read_text()
        start, rest = page.split(BEGIN)
        PAGE.write_text(f"{start}{BEGIN}\n{table(rows)}\n{END}{rest.split(END)[1]}")
    bad = [row for row in rows if row.failed or row.during > 1.0 or row.files > 8 or row.left > 64]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
