"""Symmetric routing is set up wrongly.

With `symmetric_routing: true` the init container stops at a backend other than iptables or nftables
(cmd/terway-cli/node.go:265-273; symmetric.go:402). A switch that is no boolean is off without a
word, and marks and tables of 0 or less mean the default (node.go:259, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "symmetric_routing": true, "symmetric_routing_config":
    {"backend": "ipvs"}}
Right: 10-terway.conf: {"type": "terway", "symmetric_routing": true, "symmetric_routing_config":
    {"backend": "nftables"}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting
from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import SYMMETRIC_CONFIG
from webhook.eni.jsontext import Node
from webhook.eni.shapes import INT, Path, decode
from webhook.findings import Level

NAME = "symmetric-routing"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error for the backend, warnings for what has no effect."""
    for path, _, plugin in document.terway:
        switch = plugin.get("symmetric_routing")
        if switch is not None and switch.kind not in ("boolean", "null"):
            yield Fault(
                path=(*path, "symmetric_routing"),
                message="is no boolean, so it is off",
                fix="write true or false without quotes",
                level=Level.WARNING,
            )
        config = plugin.get("symmetric_routing_config")
        if config is not None and config.kind == "object":
            yield from _config((*path, "symmetric_routing_config"), config, document.secrets)


def _config(path: Path, node: Node, secrets: frozenset[str]) -> Iterator[Fault]:
    values, _ = decode(SYMMETRIC_CONFIG, node, fold=True)
    if values["backend"] not in ("", "iptables", "nftables"):
        yield Fault(
            path=(*path, "backend"),
            message=f"{quoting.shown(values['backend'], secrets)} stops the init container",
            fix="write iptables or nftables",
        )
    for key, value in node.value:
        if SYMMETRIC_CONFIG.fields.get(key.value) is INT and value.kind == "number":
            number = decode(INT, value)[0]
            if number <= 0:
                yield Fault(
                    path=(*path, key.value),
                    message="is not above 0, so the default is used",
                    fix="write a number above 0",
                    level=Level.WARNING,
                )
