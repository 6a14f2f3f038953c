"""What Go's standard library makes of a text: CIDRs, durations, floating-point numbers.

Terway hands these settings to net.ParseCIDR, time.ParseDuration and strconv.ParseFloat; each
function here accepts exactly what its model accepts and returns the same value, of texts up to
LONGEST characters. What is longer counts as refused: nobody writes it but to cost us time.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 256
_LONGEST_ADDRESS = 45  # IPv6 with an IPv4 address at its end
_PREFIX = re.compile(r"[0-9]++", re.ASCII)
_PREFIX_BOUND = 0xFFFFFF  # net.dtoi gives up here, leading zeros or not
_V4_MAPPED_BITS = 96
_PART = re.compile(r"([0-9]*+)(?:(\.)([0-9]*+))?+([^.0-9]*+)", re.ASCII)
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_UINT_MAX = 1 << 63  # the magnitude of the smallest int64
# Two runs of digits never touch, so that a text can be split between them in one way only.
_DIGITS = r"[0-9]++(?:_[0-9]++)*+"
_HEX = r"[0-9a-f]++(?:_[0-9a-f]++)*+"
_DECIMAL = re.compile(
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?+)?+|\.{_DIGITS})(?:e[+-]?{_DIGITS})?+", re.ASCII
)
_HEXADECIMAL = re.compile(
    rf"[+-]?0x(?:_?{_HEX}(?:\.(?:{_HEX})?+)?+|\.{_HEX})p[+-]?{_DIGITS}", re.ASCII
)
_SPECIAL = re.compile(r"[+-]?(?:inf|infinity)|nan", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A network as net.ParseCIDR returns it: family 4 or 6, masked, and whether bits were lost.

    An IPv4 address mapped into IPv6 counts as IPv4, as net.IP.To4 has it.
    """

    family: int
    network: str
    host_bits: bool


def parse_cidr(text: str) -> Cidr | None:
    """Return the network, or None where net.ParseCIDR refuses the text."""
    return _parse_cidr(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=64)
def _parse_cidr(text: str) -> Cidr | None:
    """Parse one of the few that come with each write again (9 us)."""
    address_text, slash, prefix_text = text.partition("/")
    if not slash or len(address_text) > _LONGEST_ADDRESS:
        return None
    if "%" in address_text or not _PREFIX.fullmatch(prefix_text):
        return None
    try:
        address = ipaddress.ip_address(address_text)
    except ValueError:
        return None
    digits = prefix_text.lstrip("0") or "0"
    if len(digits) > len(str(_PREFIX_BOUND)) or int(digits) > address.max_prefixlen:
        return None
    network = ipaddress.ip_network((address, int(digits)), strict=False)
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    mapped = mapped and int(digits) >= _V4_MAPPED_BITS
    return Cidr(
        4 if mapped or address.version == ipaddress.IPV4LENGTH // 8 else 6,
        str(network),
        network.network_address != address,
    )


def parse_duration(text: str) -> int | None:
    """Return nanoseconds, or None where time.ParseDuration refuses the text."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in ("-", "+") else text
    if len(text) > LONGEST:
        return None
    if rest == "0":
        return 0
    if not rest:
        return None
    total, at = 0, 0
    while at < len(rest):
        found = _PART.match(rest, at)
        part = _part(*found.groups()) if found else None
        if found is None or part is None:
            return None
        at = found.end()
        total += part
        if total > _UINT_MAX:
            return None
    if negative:
        return -total
    return total if total < _UINT_MAX else None


def _part(whole: str, point: str | None, fraction: str | None, unit_name: str) -> int | None:
    """Return one number with its unit in nanoseconds."""
    unit = _UNITS.get(unit_name)
    if unit is None or not (whole or fraction):
        return None
    value = _bounded(whole)
    if value is None or value > _UINT_MAX // unit:
        return None
    value *= unit
    if point and fraction:
        after, scale = _fraction(fraction)
        value += int(float(after) * (float(unit) / scale)) if after else 0
    return value if value <= _UINT_MAX else None


def _bounded(digits: str) -> int | None:
    digits = digits.lstrip("0")
    value = int(digits or "0") if len(digits) <= len(str(_UINT_MAX)) else _UINT_MAX + 1
    return value if value <= _UINT_MAX else None


def _fraction(digits: str) -> tuple[int, float]:
    """Return the digits that count and their scale: what overflows is dropped, as in Go."""
    value, scale = 0, 1.0
    for digit in digits:
        longer = value * 10 + int(digit)
        if value > (_UINT_MAX - 1) // 10 or longer > _UINT_MAX:
            break
        value = longer
        scale *= 10
    return value, scale


def parse_float(text: str) -> float | None:
    """Return the number, or None where strconv.ParseFloat(text, 64) refuses the text."""
    lowered = text.lower() if text.isascii() and len(text) <= LONGEST else ""
    if _SPECIAL.fullmatch(lowered):
        return float(lowered)
    if _HEXADECIMAL.fullmatch(lowered):
        return _hexadecimal(lowered.replace("_", ""))
    if not _DECIMAL.fullmatch(lowered):
        return None
    value = float(lowered.replace("_", ""))
    return None if value in (float("inf"), float("-inf")) else value


def _hexadecimal(text: str) -> float | None:
    try:
        return float.fromhex(text)
    except OverflowError:
        return None
