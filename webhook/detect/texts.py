"""Texts inside ConfigMaps, read as leniently as is safe: JSON with comments, YAML's top level."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

_MAX = 1024 * 1024  # a ConfigMap holds no more
_DEPTH = 50  # libyaml takes time by the square of it
_SHOWN = 60
# Kept as it is, whatever stands in it; one without an end is all the rest, so none is read twice.
_STRING = r'("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))'
_COMMENT = re.compile(_STRING + r"|//[^\n]*+|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING = re.compile(_STRING + r"|,(?=\s*+[}\]])", re.DOTALL)
_BLANK = re.compile(_STRING + r"|__\w+__", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{|\}\}|^__\w+__$|\$\{?\w|\$\(|^%\w+%$|^<.*>$")


def json_object(text: str) -> dict[str, Any] | None:
    """Return the object in a JSON text; comments and trailing commas are forgiven. Else None."""
    if len(text) > _MAX:
        return None
    for candidate in (text, _TRAILING.sub(r"\1", _COMMENT.sub(r"\1", text))):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def json_template(text: str) -> dict[str, Any] | None:
    """Return the object in a JSON text with blanks, null for each: `"mtu": __CNI_MTU__`.

    An installer on the node fills them in, so that the text is no JSON before.
    """
    return json_object(_BLANK.sub(lambda match: match[1] or "null", text))


def go_field(mapping: dict[str, Any], name: str) -> Any:
    """Return a field as encoding/json finds it: the exact name, or one that differs by case."""
    if name in mapping:
        return mapping[name]
    return next((v for k, v in mapping.items() if k.casefold() == name.casefold()), None)


def top_level(text: str) -> dict[str, str | None] | None:
    """Return the top level of a YAML text, None for what is no scalar; None for no mapping.

    Read from the parser's events: nothing is built, so aliases cost nothing.
    """
    if len(text) > _MAX:
        return None
    nodes: list[str | None] = []  # keys and values in turn; None for what is no scalar
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if depth == 1 and isinstance(event, yaml.NodeEvent):
                nodes.append(event.value if isinstance(event, yaml.ScalarEvent) else None)
            elif depth == 0 and isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent)):
                return None
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH:
                return None
    except (yaml.YAMLError, ValueError):
        return None
    pairs = zip(nodes[::2], nodes[1::2], strict=False)
    return {key: value for key, value in pairs if key is not None}


def word(value: Any) -> str:
    """Return a setting's value as text: a boolean that was not quoted is the word it stands for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()


def truth(text: str) -> bool | None:
    """Return a boolean as strconv.ParseBool reads it, or None."""
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    return False if text in {"0", "f", "F", "false", "FALSE", "False"} else None


def is_placeholder(text: str) -> bool:
    """Tell whether a template has not been filled in here."""
    return _PLACEHOLDER.search(text) is not None


def shown(value: Any) -> str:
    """Return a value for a line of evidence: printable and short."""
    text = "".join(char if char.isprintable() else " " for char in word(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
