"""What can be said of a credential by its look alone. No value leaves this module.

The shapes: RAM's CreateAccessKey reference (an ID of 16 letters and digits, a secret of 30) and
public secret scanners (`LTAI` and 12 to 26 more). Only what is sure to fail is a reason to deny.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from collections.abc import Mapping
from typing import Any

from webhook.eni import templates
from webhook.eni.fields import ALIASES, CREDENTIALS
from webhook.eni.jsontext import Node
from webhook.eni.shapes import folded

_ID = re.compile(r"LTAI[A-Za-z0-9]{12,26}", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9]{30}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9]{16,}+", re.ASCII)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{16,}+={0,2}+", re.ASCII)
_WORDS = re.compile(
    r"your|test|example|changeme|replace|todo|none|null|dummy|fake|access[-_]?key|secret",
    re.ASCII | re.IGNORECASE,
)
_FEW_DISTINCT = 4
_LONGEST = 256  # neither a credential nor the name of one is as long
_MEANT_FOR_ONE = re.compile(r"access|secret|token|password|passwd", re.ASCII | re.IGNORECASE)
_SHORTEST_TOLD = 4  # a value of fewer characters would mask half the text


class Flaw(enum.Enum):
    """What is wrong with a credential, most certain first."""

    TEMPLATE = "template"
    WHITESPACE = "whitespace"
    STS = "sts"
    ENCODED = "encoded"
    SWAPPED = "swapped"
    PLACEHOLDER = "placeholder"
    SHAPE = "shape"


def flaws(values: Mapping[str, Any]) -> dict[str, Flaw]:
    """Return what is wrong with each credential that is not blank."""
    pair = {name: values[name] for name in CREDENTIALS}
    swapped = bool(_SECRET.fullmatch(pair["access_key"]) and _ID.fullmatch(pair["access_secret"]))
    found = {
        name: Flaw.SWAPPED if swapped else _flaw(name, value)
        for name, value in pair.items()
        if value.strip()
    }
    return {name: flaw for name, flaw in found.items() if flaw is not None}


def _flaw(name: str, value: str) -> Flaw | None:
    if len(value) > _LONGEST:
        return Flaw.PLACEHOLDER
    if templates.in_value(value):
        return Flaw.TEMPLATE
    if not value.isascii() or not value.isprintable() or " " in value:
        return Flaw.WHITESPACE
    if value.startswith("STS."):
        return Flaw.STS
    if _is_encoded(value):
        return Flaw.ENCODED
    if _is_placeholder(value):
        return Flaw.PLACEHOLDER
    shape = _ID if name == "access_key" else _SECRET
    return None if shape.fullmatch(value) else Flaw.SHAPE


def _is_encoded(value: str) -> bool:
    """Tell whether base64 text holds an ID, or a secret of 30 letters and digits."""
    if not _ENCODED.fullmatch(value):
        return False
    try:
        decoded = base64.b64decode(value, validate=True).decode("ascii").strip()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(_ID.fullmatch(decoded) or _SECRET.fullmatch(decoded))


def _is_placeholder(value: str) -> bool:
    if not _PLAIN.fullmatch(value):
        return True
    if len(set(value.removeprefix("LTAI"))) <= _FEW_DISTINCT:
        return True
    return bool(_WORDS.match(value)) and not _is_random(value)


def _is_random(value: str) -> bool:
    """Tell whether a secret of full length mixes all classes: a word in it is then chance."""
    classes = (str.islower, str.isupper, str.isdigit)
    mixed = all(any(has(char) for char in value) for has in classes)
    return mixed and bool(_SECRET.fullmatch(value))


def secrets(root: Node | None, data: Mapping[str, Any]) -> frozenset[str]:
    """Return the texts that must not be shown: all that stands under a credential's name."""
    pairs = [(key.value, value.value) for key, value in _pairs(root) if value.kind == "string"]
    pairs += [(key, value) for key, value in data.items() if isinstance(value, str)]
    return frozenset(
        value.strip() for name, value in pairs if _holds_one(name) and _worth_hiding(value)
    )


def _pairs(root: Node | None) -> list[tuple[Node, Node]]:
    return root.value if root is not None and root.kind == "object" else []


def _holds_one(name: str) -> bool:
    if len(name) > _LONGEST:
        return True
    lowered = folded(name)
    return ALIASES.get(lowered) in CREDENTIALS or bool(_MEANT_FOR_ONE.search(lowered))


def _worth_hiding(value: str) -> bool:
    return len(value.strip()) >= _SHORTEST_TOLD
