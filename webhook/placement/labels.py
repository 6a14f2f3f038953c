"""What the API server admits as label keys, label values and node names; what Go calls an integer.

Source: apimachinery v0.37.2, pkg/api/validate/content/{kube,dns}.go; Go's strconv.ParseInt.
"""

from __future__ import annotations

import re
from functools import lru_cache

NAME_MAX = 63
SUBDOMAIN_MAX = 253
KEY_MAX = SUBDOMAIN_MAX + 1 + NAME_MAX
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

_NAME = re.compile(r"[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*", re.ASCII)
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*", re.ASCII)

# The same for JSON schemas, which know lengths apart.
KEY_PATTERN = rf"^(?:{_SUBDOMAIN.pattern}/)?{_NAME.pattern}$"
VALUE_PATTERN = rf"^(?:{_NAME.pattern})?$"
LABEL_PATTERN = rf"^{_LABEL.pattern}$"
SUBDOMAIN_PATTERN = rf"^{_SUBDOMAIN.pattern}$"

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
# ParseInt takes any number of leading zeros; Python refuses to convert over 4,300 digits.
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])", re.ASCII)


def is_key(text: str) -> bool:
    """Tell whether `text` is a label key: an optional DNS subdomain and `/`, then a name."""
    return len(text) <= KEY_MAX and _is_key(text)


@lru_cache(maxsize=1024)
def _is_key(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= NAME_MAX and _NAME.fullmatch(name) is not None


def is_value(text: str) -> bool:
    """Tell whether `text` is a label value; the empty string is one."""
    return not text or (len(text) <= NAME_MAX and _is_name(text))


@lru_cache(maxsize=1024)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Tell whether `text` is a DNS-1123 label, as namespaces are."""
    return len(text) <= NAME_MAX and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Tell whether `text` is a DNS-1123 subdomain, as node names are."""
    return len(text) <= SUBDOMAIN_MAX and _SUBDOMAIN.fullmatch(text) is not None


def integer(text: str) -> int | None:
    """Return what strconv.ParseInt(text, 10, 64) does, or None for its error."""
    if not _INTEGER.fullmatch(text):
        return None
    digits = _ZEROS.sub("", text)
    if len(digits) > len(str(INT64_MIN)):
        return None
    value = int(digits)
    return value if INT64_MIN <= value <= INT64_MAX else None
