"""What argv and the environment say, parsed once: the cli passes plain values on."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEV_HOST, DEV_PORT = "127.0.0.1", 8443
HOST, PORT = "0.0.0.0", 8443  # noqa: S104  # a webhook is called from other machines
CERTIFICATE_FOLDER = Path("/etc/hybrid-guard/tls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """How standard output is read: in colour or not, and how many columns wide by a person."""

    colour: bool
    width: int | None


def terminal(environ: Mapping[str, str] = os.environ) -> Terminal:
    """Return how to write to standard output (https://no-color.org)."""
    plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    read = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if read else None
    return Terminal(colour=read and not plain, width=width)
