"""JSON from the wire, strictly: what two parsers could read differently is refused.

Refused: duplicate keys, NaN and infinities, numbers over 20 digits, lone surrogates, a byte-order
mark, anything but UTF-8, nesting over 254 levels. The API server's bodies never see the slow
parser: orjson reads them, and writing them back proves that nothing was dropped or bent.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 254  # what orjson writes at most, so that a body it writes back needs no counting
COST_MAX = 3_000_000
"""What is decoded, in pieces (see `cost`): at most 225 MB. The most that is valid in an API
server's 3 MiB, with a stored object of the 1.5 MiB that etcd takes, is 2,700,000."""
MAX_DIGITS = 21  # Go writes a float64 with an exponent from 1e21 on
_HALF_PAIR = re.compile(rb"\\u[dD]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRINGS = re.compile(rb'\\.|"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
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
    return decoded if _is_canonical(body, text) else loads_slowly(body)


def loads_slowly(body: bytes) -> Any:
    """Decode a body with the standard library and a hook for everything that is refused."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise StrictJSONError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise StrictJSONError("starts with a byte-order mark")
    if _is_too_deep(body):
        raise StrictJSONError(f"nested over {MAX_DEPTH} levels")
    try:
        decoded = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise StrictJSONError(f"not JSON at line {error.lineno}, column {error.colno}") from None
    if _HALF_PAIR.search(body) and _has_surrogate(decoded):
        raise StrictJSONError("a string holds half a surrogate pair")
    return decoded


def cost(body: bytes) -> int:
    """Return how many pieces of about 75 bytes the decoded body takes at most, strings aside.

    An item takes one, and more if it is a list, or a dict with a key (232 bytes); so none takes
    more than it has bytes. What stands in strings is counted too, unless that is much.
    """
    if len(body) <= COST_MAX:
        return len(body)
    found = _pieces(body)
    return found if found <= COST_MAX else _pieces(_STRINGS.sub(b"0", body))


def _pieces(body: bytes) -> int:
    dicts, lists = body.count(b"{") - body.count(b"{}"), body.count(b"[") - body.count(b"[]")
    return 3 * dicts + lists + body.count(b",")


def _is_canonical(body: bytes, text: bytes) -> bool:
    r"""Tell whether `body` is `text`, orjson's own writing of what it read there.

    A writer repeats no key and bends no number, so then the body did neither. Go's encoder ends a
    document with a line break and writes five characters as escapes, which stand in strings only:
    replaced there, `text` still says the same. An odd number (`1.00`, `1e2`, 2**64) differs from
    what is written back, and goes to the slow parser with all else that does.
    """
    body = body.rstrip(b"\n")
    if body == text:
        return True
    if b"\\u" not in body:
        return False
    for plain, escaped in _GO_ESCAPES:
        if len(text) == len(body):
            break
        text = text.replace(plain, escaped)
    return body == text


def _is_too_deep(body: bytes) -> bool:
    """Tell whether brackets nest over MAX_DEPTH levels, without recursing.

    Up to the first mistake a decoder finds, strings end here where they end there; behind it this
    count does not matter.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _ALL_BUT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _has_surrogate(decoded: Any) -> bool:
    """Tell whether a key or a string anywhere holds half a surrogate pair."""
    pending = [decoded]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str) and _SURROGATE.search(item):
            return True
    return False


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJSONError("a key stands twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise StrictJSONError(f"a number has over {MAX_DIGITS} digits")
    return int(digits)


def _number(digits: str) -> float:
    mantissa, _, _ = digits.lower().partition("e")
    if len(mantissa.replace(".", "").lstrip("-0")) > MAX_DIGITS:
        raise StrictJSONError(f"a number has over {MAX_DIGITS} digits")
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJSONError("a number is out of range")
    return number


def _constant(_name: str) -> NoReturn:
    raise StrictJSONError("NaN and infinities are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
