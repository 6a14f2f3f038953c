"""Values as CEL literals: what JSON writes, CEL reads as the same value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

# From shell-style globs to regular expressions, step by step, in words that Go and Python share. A
# set such as [a-c] becomes any one character: nobody names a workload by one, and RE2 refuses some.
GLOB_STEPS = (
    (r"([\\.+^$(){}|])", r"\${1}"),
    (r"\[!?\]?[^\]]*\]", "."),
    (r"([\[\]])", r"\${1}"),
    (r"\*", ".*"),
    (r"\?", "."),
)

# Go's encoder, which Helm's toJson is, writes these as escapes.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def literal(value: object) -> str:
    """Return a string, or lists and maps of strings, as CEL text: the bytes of Helm's toJson."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.translate(_ESCAPED)


def pattern(globs: Iterable[str]) -> str:
    """Return the CEL string of a regular expression that matches what one of the globs does."""
    return literal(f"^(?s:{'|'.join(map(_regex, globs))})$")


def _regex(glob: str) -> str:
    for search, replacement in GLOB_STEPS:
        parts = re.split(search, glob)  # with a group, every second part is what it found
        if re.compile(search).groups:
            parts[1::2] = [replacement.replace("${1}", found) for found in parts[1::2]]
            glob = "".join(parts)
        else:
            glob = replacement.join(parts)
    return glob
