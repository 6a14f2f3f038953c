"""Talking to the API server: single HTTPS calls, and kubectl, as whichever user.

Single calls show what kubectl hides: the exact status, the body and each warning header.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.cluster.controlplane import pki
from tests.cluster.controlplane.pki import Authority

TIMEOUT = 40.0
"""Above the 34 s that kube-apiserver gives a request, so that its own answer is seen."""

TRIES = 10
"""How often an object is written that others write too; client-go's own callers try 5 times."""

ADMIN = "kubernetes-admin"
ADMIN_GROUP = "system:masters"

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the API server."""

    status: int
    body: bytes
    warnings: tuple[str, ...]

    def json(self) -> Any:
        """Return the body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One user of one API server."""

    port: int
    kubeconfig: Path
    context: ssl.SSLContext

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
    ) -> Answer:
        """Make one call on a connection of its own; anything but bytes is sent as JSON."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT, context=self.context
        )
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return Answer(
                status=response.status,
                body=response.read(),
                warnings=_warnings(response.headers.get_all("Warning") or []),
            )
        finally:
            connection.close()

    def update(self, path: str, change: Callable[[dict[str, Any]], None]) -> Answer:
        """Read an object, change it in place and put it; read it again where another was quicker.

        Controllers write beside every test, as they do beside every real client. Returns the
        answer to the last call: the put's, or the read's where there is nothing to change.
        """
        for _ in range(TRIES):
            found = self.request("GET", path)
            if found.status != HTTPStatus.OK:
                return found
            obj = found.json()
            change(obj)
            answer = self.request("PUT", path, obj)
            if answer.status != HTTPStatus.CONFLICT:
                break
        return answer


def make_client(
    *, folder: Path, port: int, authority: Authority, user: str, groups: Sequence[str]
) -> Client:
    """Sign a certificate for the user, write a kubeconfig, and return a client for both."""
    folder.mkdir(parents=True)
    pair = authority.issue(user, groups)
    certificate, key = pair.write(folder, "client")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(pki.kubeconfig(f"https://127.0.0.1:{port}", authority.pem, pair))
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.load_cert_chain(certificate, key)
    return Client(port=port, kubeconfig=kubeconfig, context=context)


def _warnings(headers: list[str]) -> tuple[str, ...]:
    found = (text for header in headers for text in _WARNING.findall(header))
    return tuple(re.sub(r"\\(.)", r"\1", text) for text in found)
