"""Text that a template engine should have replaced: Helm, Go, Jinja, shell, Python, Windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_ANYWHERE = r"\{\{|\}\}|\$\{|\$\([A-Za-z_]|%\([A-Za-z_]|<%|%>|\$[A-Z_][A-Z0-9_]{2,}"
_ANY = re.compile(_ANYWHERE, re.ASCII)
_WHOLE = re.compile(r"\s*+(?:\$[A-Za-z_]\w*+|%[A-Za-z_]\w*+%)\s*+", re.ASCII)
_MOST = 5_000  # keys and templates looked at in one text: all of an honest one
_IN_TEXT = re.compile(
    r'"(?P<key>[A-Za-z0-9_.-]{1,64}+)"\s{0,64}+:'
    r"|(?P<open>\{\{-?\s{0,8}[^\s\"{}]|\$\{|\$\([A-Za-z_]|%\([A-Za-z_]|<%|\$[A-Za-z_]\w{1,63})",
    re.ASCII,
)


def in_value(value: str) -> bool:
    """Tell whether a decoded value still holds a template."""
    return bool(_ANY.search(value) or _WHOLE.fullmatch(value))


def in_text(text: str) -> Iterator[tuple[str | None, int]]:
    """Yield the key before each template in a text that is not JSON, and the template's offset."""
    key: str | None = None
    for found in islice(_IN_TEXT.finditer(text), _MOST):
        if found["key"] is not None:
            key = found["key"]
        else:
            yield key, found.start()
