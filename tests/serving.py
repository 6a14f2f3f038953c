"""The real server in a process of its own, on a free port, with a certificate of its own CA."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from certs import issue

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


class Answer:
    """A response that was read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


def changed(**modules: dict[str, float]) -> str:
    """Return what to run `before` a server, whose modules have other values then."""
    return (
        "import importlib\n"
        "from gunicorn.app.base import BaseApplication\n"
        "given = BaseApplication.run\n"
        "def run(self):\n"
        f"    for name, values in {modules!r}.items():\n"
        "        vars(importlib.import_module(f'webhook.server.{name}')).update(values)\n"
        "    given(self)\n"
        "BaseApplication.run = run\n"
    )


class Server:
    """`hybrid-guard serve` as a context manager; `arguments` say which policy.

    The certificate is for `address` and `hosts`; `before` is Python that runs in the process first.
    """

    def __init__(
        self,
        *arguments: str,
        address: str = "127.0.0.1",
        hosts: tuple[str, ...] = ("localhost",),
        before: str = "",
        keeps_log: bool = True,
    ) -> None:
        self._arguments = ("--host", address, *arguments)
        started = f"{before}\nfrom webhook.cli import main\nmain()"
        self._program = ["-c", started] if before else ["-m", "webhook"]
        self._keeps_log = keeps_log
        self._scratch = tempfile.TemporaryDirectory(prefix="hybrid-guard-test-")
        self.folder = Path(self._scratch.name)
        self.certificate, self.key = self.folder / "tls.crt", self.folder / "tls.key"
        self.authority = issue.authority(dt.datetime.now(dt.UTC))
        self.write_pair(issue.leaf(self.authority, (address, *hosts), dt.datetime.now(dt.UTC)))
        self.lines: list[dict[str, Any]] = []
        self.text: list[str] = []
        self._news = threading.Condition()

    def write_pair(self, pair: issue.Pair) -> None:
        """Write another certificate pair where the server looks."""
        self.key.write_bytes(pair.key)
        self.certificate.write_bytes(pair.certificate)

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        self.process = subprocess.Popen(
            self.command(self._arguments),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        address = self.wait_for("listening")["address"]
        self.host, self.port = address.rsplit(":", 1)[0], int(address.rsplit(":", 1)[1])
        return self

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return what to start."""
        return [
            sys.executable, *self._program, "serve", "--port", "0",
            "--cert", str(self.certificate), "--key", str(self.key), *arguments,
        ]  # fmt: skip

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its files."""
        self.stop()
        self._reader.join(START_SECONDS)
        self._scratch.cleanup()

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def url(self) -> str:
        """The base URL."""
        return f"https://{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Return a client's context that trusts this server's CA alone, strictly."""
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    def connect(self, timeout: float = 30) -> http.client.HTTPSConnection:
        """Return a new connection."""
        return http.client.HTTPSConnection(
            self.host, self.port, context=self.context(), timeout=timeout
        )

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request on a connection of its own."""
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def review(self, path: str, review: Any) -> Answer:
        """Post an AdmissionReview, or bytes that pretend to be one."""
        body = review if isinstance(review, bytes) else json.dumps(review).encode()
        return self.request("POST", path, body, content_type="application/json")

    def connections(self) -> int:
        """Return how many connections it has taken before this look."""
        lines = self.request("GET", "/metrics").body.decode().splitlines()
        name = "hybrid_guard_connections_total "
        return next(int(float(line.split()[1])) for line in lines if line.startswith(name)) - 1

    def wait_for(
        self, event: str, seconds: float = START_SECONDS, after: int = 0
    ) -> dict[str, Any]:
        """Return the first log line of an event behind line `after`; fail when it does not come."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for line in self.lines[after:]:
                    if line.get("event") == event:
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self._news.wait(1)):
                    raise AssertionError(f"no {event} in the log:\n" + "".join(self.text[-20:]))
                self._news.wait(min(left, 1))

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for text in lines:
                with self._news:
                    self.text.append(text)
                    if text.startswith("{"):
                        self.lines.append(json.loads(text))
                    self._news.notify_all()
                if not self._keeps_log:
                    while os.read(lines.fileno(), 1 << 20):
                        pass
                    return
