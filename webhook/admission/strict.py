"""JSON from the wire, strictly: what two parsers could read differently is refused.

Refused: duplicate keys, NaN and infinities, numbers over 20 digits, lone surrogates, a byte-order
mark, anything but UTF-8, nesting over 200 levels. Most bodies never see the slow parser: orjson
parses, and a cheap proof shows that nothing was dropped or bent on the way.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 200  # below the 254 levels orjson writes and the 1,000 CPython recurses
MAX_DIGITS = 20
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_ODD = re.compile(rb"\\u|[ \t\r\n]:|[0-9]\.|[0-9][eE]|-0|[0-9]{20}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_GO_ESCAPES = (
    (b"&", b"\\u0026"),
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


class StrictJSONError(ValueError):
    """A body that is refused; the text says why and never quotes it."""


def loads(body: bytes) -> Any:
    """Decode a body, or raise StrictJSONError."""
    try:
        decoded = orjson.loads(body)
        text = orjson.dumps(decoded)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return loads_slowly(body)
    if not _faithful(body, text):
        return loads_slowly(body)
    if _too_deep(text):
        raise StrictJSONError(f"nested over {MAX_DEPTH} levels")
    return decoded


def loads_slowly(body: bytes) -> Any:
    """Decode a body with the standard library and a hook for everything that is refused."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise StrictJSONError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise StrictJSONError("starts with a byte-order mark")
    if _too_deep(body):
        raise StrictJSONError(f"nested over {MAX_DEPTH} levels")
    try:
        decoded = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise StrictJSONError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if isinstance(decoded, str):
        _checked(decoded)
    return decoded


def _faithful(body: bytes, text: bytes) -> bool:
    r"""Tell whether orjson's reading of `body` is the only one, given what it writes back.

    If it writes back the same bytes, the body is what some duplicate-free object serialises to; so
    too if the bytes are the same but for the five characters that Go's encoder escapes.
    Otherwise count keys: without escapes and without blanks before colons each key contributes one
    `":` to either text, and so does each quoted `\":` inside a string, so that a key that was
    dropped leaves the counts different. Numbers that could be bent go to the slow parser.
    """
    body = body.rstrip(b"\n")  # Go's encoder ends a document with one
    if body == text:
        return True
    if b"\\u" in body:
        for plain, escaped in _GO_ESCAPES:
            text = text.replace(plain, escaped)
        return body == text
    return _ODD.search(body) is None and body.count(b'":') == text.count(b'":')


_BRACKETS = bytes(set(range(256)) - set(b'[]{}"\\'))
_STRINGS = re.compile(rb'\\.|"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def _too_deep(text: bytes) -> bool:
    """Tell whether brackets nest over MAX_DEPTH levels, without recursing.

    Strings that hold no bracket vanish first; what is left is a few hundred bytes.
    """
    opened = text.count(b"[") + text.count(b"{")
    if opened <= MAX_DEPTH:
        return False
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", text).translate(None, _BRACKETS):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest > MAX_DEPTH


def _checked(text: str) -> str:
    if _SURROGATE.search(text):
        raise StrictJSONError("a string holds half a surrogate pair")
    return text


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJSONError("a key stands twice in one object")
    for key, value in pairs:
        _checked(key)
        _check_strings(value)
    return found


def _check_strings(value: Any) -> None:
    """Check a member's string, or those of a list; objects were checked when they were made."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            _checked(item)
        elif isinstance(item, list):
            pending.extend(item)


def _integer(digits: str) -> int | float:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise StrictJSONError(f"a number has over {MAX_DIGITS} digits")
    return int(digits)


def _number(digits: str) -> float:
    if _LONG_NUMBER.search(digits.encode()):
        raise StrictJSONError(f"a number has over {MAX_DIGITS} digits")
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJSONError("a number is out of range")
    return number


def _constant(_name: str) -> NoReturn:
    raise StrictJSONError("NaN and infinities are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
