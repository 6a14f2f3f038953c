"""The socket that the server listens on: bound before gunicorn starts, which would only retry."""

from __future__ import annotations

import errno
import socket
from typing import Any

_BACKLOG = 2048  # gunicorn's own
_PRIVILEGED = 1024


class ListenError(ValueError):
    """An address or port that cannot be listened on: one line, which names the option."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 lets the system choose. Raises ListenError."""
    family, address = _resolved(host, port)
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise ListenError(_told(error, host, port)) from None
    return found


def _resolved(host: str, port: int) -> tuple[int, Any]:
    """Return what a name stands for, IPv4 before IPv6."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
    except (OSError, ValueError):  # a label of 64 letters is a UnicodeError
        found = []
    if not found:
        raise ListenError(
            f"--host {host!r}: no address and no name that stands for one; give one of this "
            "machine's addresses, or 0.0.0.0 for all"
        )
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, address


def _told(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"--port {port}: something listens there already on {host}; stop it, or give another"
    if error.errno in (errno.EACCES, errno.EPERM) and port < _PRIVILEGED:
        return f"--port {port}: this user may not listen below {_PRIVILEGED}; give a higher one"
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"--host {host!r}: not an address of this machine; give one of its own, or 0.0.0.0 "
            "for all"
        )
    return f"--host {host!r} --port {port}: cannot listen there: {error.strerror}; give others"
