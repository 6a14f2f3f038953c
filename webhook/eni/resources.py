"""The cloud's identifiers: zones, vSwitches and security groups, and where eni_conf names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webhook.eni import quoting
from webhook.eni.document import EniDocument
from webhook.eni.shapes import Path

# terraform-provider-alicloud, Karpenter for Alibaba Cloud and OOS agree on these; 30 at most.
_VSWITCH = re.compile(r"vsw-[a-z0-9]{1,26}", re.ASCII)
_SECURITY_GROUP = re.compile(r"sg-[a-z0-9]{1,27}", re.ASCII)
_LONGEST_ID = 30
_REST = re.compile(r"[a-z0-9]++", re.ASCII)
_CUT_OFF = ("...", "\N{HORIZONTAL ELLIPSIS}", "-")
_SAMPLE = re.compile(
    r"(?:vsw|sg)-(?:x+|foo|bar|baz|test|demo|id|your.*|example.*|\*+|\.+)", re.ASCII | re.IGNORECASE
)
_NAME = re.compile(r"[a-z]{2}(?:-[a-z0-9]++)++", re.ASCII)
_ZONE_ENDS = re.compile(r"[a-z]|[0-9]++[a-z]", re.ASCII)
_REGION_ENDS = re.compile(r"[0-9]++", re.ASCII)
_ONE_PART = re.compile(r"[a-z]{2}-[a-z]++", re.ASCII)
_LONGEST = 64  # no ID and no zone is as long
_KINDS = {
    "vsw-": "a vSwitch ID",
    "sg-": "a security group ID",
    "vpc-": "a VPC ID",
    "eni-": "an ENI ID",
    "i-": "an instance ID",
}


def is_vswitch(value: str) -> bool:
    """Tell whether a text has the shape of a vSwitch ID and is no sample."""
    return bool(_VSWITCH.fullmatch(value)) and not is_placeholder(value)


def is_security_group(value: str) -> bool:
    """Tell whether a text has the shape of a security group ID and is no sample."""
    return bool(_SECURITY_GROUP.fullmatch(value)) and not is_placeholder(value)


def is_placeholder(value: str) -> bool:
    """Tell whether an ID is that of a sample, `vsw-xxx`."""
    return len(value) <= _LONGEST and bool(_SAMPLE.fullmatch(value))


def is_zone(value: str) -> bool:
    """Tell whether a text has the shape of a zone: cn-hangzhou-g, eu-central-1a."""
    return _is_named(value) and value.count("-") > 1 and bool(_ZONE_ENDS.fullmatch(_end(value)))


def is_region(value: str) -> bool:
    """Tell whether a text has the shape of a region: cn-hangzhou, us-west-1."""
    if not _is_named(value) or is_zone(value):
        return False
    has_number = value.count("-") > 1 and bool(_REGION_ENDS.fullmatch(_end(value)))
    return has_number or bool(_ONE_PART.fullmatch(value))


def _is_named(value: str) -> bool:
    return len(value) <= _LONGEST and bool(_NAME.fullmatch(value))


def _end(value: str) -> str:
    return value.rpartition("-")[2]


def why_no_id(value: str, prefix: str, secrets: frozenset[str]) -> str:
    """Say why a text is no ID that begins so."""
    shown = quoting.shown(value, secrets) if value else "an empty text"
    wanted = _KINDS[prefix]
    if value.startswith(prefix):
        return f"{shown} begins as {wanted}, but {_broken(value.removeprefix(prefix), prefix)}"
    kind = next((name for other, name in _KINDS.items() if value.startswith(other)), None)
    found = f"{shown} is {kind}" if kind else f"found {shown}"
    return f"{found}, not {wanted} ({prefix}...)"


def _broken(rest: str, prefix: str) -> str:
    """Say what is wrong behind an ID's prefix."""
    if not rest or rest.endswith(_CUT_OFF):
        return "is cut off"
    if not _REST.fullmatch(rest):
        return "has a character that no ID has: lower-case letters and digits alone"
    return f"is too long: {_LONGEST_ID} characters at most, not {len(prefix) + len(rest)}"


def vswitches(document: EniDocument) -> Iterator[tuple[Path, str]]:
    """Yield every entry of every zone with its path."""
    for zone, listed in ((document.values or {}).get("vswitches") or {}).items():
        for index, value in enumerate(listed or ()):
            path = ("vswitches", zone, index)
            if path not in document.wrong_paths:
                yield (document.conf.key, *path), value


def security_groups(document: EniDocument) -> Iterator[tuple[Path, str]]:
    """Yield security_group and every entry of security_groups with its path."""
    values = document.values or {}
    if values.get("security_group"):
        yield (document.conf.key, "security_group"), values["security_group"]
    for index, value in enumerate(values.get("security_groups") or ()):
        path = ("security_groups", index)
        if path not in document.wrong_paths:
            yield (document.conf.key, *path), value
