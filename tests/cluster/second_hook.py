"""Another team's mutating webhook: adds a node term of its own, after ours."""

from __future__ import annotations

import base64
import datetime as dt
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from certs import issue

_TERMS = (
    "/spec/template/spec/affinity/nodeAffinity/"
    "requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms"
)
TERM = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        response: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": True}
        terms: Any = review["request"]["object"]
        for step in _TERMS.split("/")[1:]:
            terms = (terms or {}).get(step)
        if terms is not None and not any("disk" in json.dumps(term) for term in terms):
            patch = [{"op": "add", "path": f"{_TERMS}/-", "value": TERM}]
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
        body = json.dumps({**review, "request": None, "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class SecondHook:
    """The server of that webhook, as a context manager."""

    def __init__(self, folder: Path) -> None:
        pair = issue.dev_pair(("127.0.0.1",), dt.datetime.now(dt.UTC))
        self.authority = pair.authority
        (folder / "second.pem").write_bytes(pair.key + pair.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "second.pem")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"https://127.0.0.1:{self._server.server_port}"
