"""Which images a node in the cloud cannot pull, told by the name of their registry alone.

Never more than a warning: a mirror in containerd's hosts.toml may serve any name, and nobody asks
the registry. A name that may be known there, and a pull that needs a login, are given the benefit
of the doubt.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

_TEMPLATE = re.compile(r"\{\{|\$[A-Za-z_{(]|%\(|<%|__[A-Za-z]+__")
_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
            "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
        ),
    )
)  # fmt: skip
_SUFFIXES = (
    "local", "localdomain", "internal", "intranet", "lan", "corp", "home", "home.arpa", "private",
    "svc", "cluster.local", "test", "invalid", "example", "localhost",
)  # fmt: skip


def hindrance(image: str) -> str | None:
    """Say why a cloud node cannot pull an image; None where it may be able to."""
    return _remembered(image) if len(image) <= _REMEMBERED_MAX else _judged(image)


def _judged(image: str) -> str | None:
    if not image.strip():
        return "it is empty"
    if _TEMPLATE.search(image):
        return "a template that was not rendered"
    host, port = _registry(image)
    if host is None:
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _of_name(host, has_port=port)
    return "a private address" if any(address in network for network in _NETWORKS) else None


_REMEMBERED_MAX = 512  # characters; the longest name, tag and digest together are shorter
_remembered = lru_cache(maxsize=4096)(_judged)


def _registry(image: str) -> tuple[str | None, bool]:
    """Return the registry's host, and whether it names a port; None for Docker Hub.

    github.com/distribution/reference, normalize.go: the part before the first slash is a registry
    if it holds a dot or a colon, or is localhost.
    """
    first, slash, _ = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return None, False
    if first.startswith("["):
        host, _, rest = first[1:].partition("]")
        return host, rest.startswith(":")
    host, colon, _ = first.partition(":")
    return host.lower().rstrip("."), bool(colon)


def _of_name(host: str, *, has_port: bool) -> str | None:
    if host == "localhost":
        return "the node itself"
    if "." not in host:
        return "a name without a domain" if has_port else None
    if any(host.endswith(f".{suffix}") for suffix in _SUFFIXES):
        return "a name that no public DNS has"
    return None
