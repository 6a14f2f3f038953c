"""What of a document may be shown: known words and short values, never what may be a credential."""

from __future__ import annotations

import re

from webhook.eni import fields
from webhook.eni.shapes import Path, folded

_LONGEST = 48
_LONG_WORD = 12
_SHORTEST_PIECE = 3  # shorter pieces of a credential tell nothing
# More credentials, or longer ones, are an attack on our time: then nothing unknown is shown.
_MOST_SECRETS = 16
_MOST_HIDDEN = 4_096  # characters in all of them
_RUN = re.compile(r"[A-Za-z0-9+/=]{16,}", re.ASCII)
_MIXED = re.compile(r"[A-Za-z0-9]{6,}", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z]++(?:[A-Z][a-z]{2,}+)*+[0-9]*+|[A-Z]++[0-9]*+|[0-9]++", re.ASCII)
_CREDENTIAL = re.compile(r"LTAI|STS\.|TFRB", re.ASCII | re.IGNORECASE)
_RESOURCE = re.compile(r"(?:vsw|sg|vpc|eni|i|rg)-[a-z0-9]{1,26}", re.ASCII)
_KNOWN = frozenset(
    {
        *fields.CONFIG.fields,
        *fields.REMOVED,
        *fields.ALIASES,
        *fields.CNI_ONLY,
        *fields.DATA_KEYS,
        *fields.RATE_LIMIT_APIS,
        *fields.BACKOFF_KEYS,
        *fields.BACKOFF.fields,
        "preferCRD",
        "binaryData",
    }
)
_TOKEN = re.compile(r"[^\s\"'{}\[\],\\]++")
_LETTER = re.compile("[A-Za-z0-9\x80-\U0010ffff]")
_HARMLESS = re.compile(
    r":|[Tt]rue|[Ff]alse|null|-?[0-9]{1,10}(?:\.[0-9]{1,6})?|[0-9a-f.:]{1,39}/[0-9]{1,3}"
    r"|[a-z]{2}(?:-[a-z]{3,12}){1,2}(?:-?[0-9]?[a-z]?)|(?:[0-9]{1,6}(?:ns|us|ms|s|m|h)){1,3}"
    r"|\{+|\}+|[Tt]erway|cilium-cni|[Vv]eth|ipvlan|datapathv2|ipv4|ipv6|dual|crd|ordered|random"
    r"|iptables|ebpf|nftables|bandwidth|plugins|type|name|backend|data|kind|metadata|namespace|apiVersion|ConfigMap",
    re.ASCII,
)


def shown(value: str, secrets: frozenset[str]) -> str:
    """Return a value in quotes, or its length where it might be a credential."""
    return f'"{value}"' if _may_show(value, secrets) else f"a text of {len(value)} characters"


def _may_show(value: str, secrets: frozenset[str]) -> bool:
    if len(value) > _LONGEST:
        return False
    if value in _KNOWN or folded(value) in _KNOWN or _RESOURCE.fullmatch(value):
        return True
    if _CREDENTIAL.search(value) or _RUN.search(value) or _are_too_many(secrets):
        return False
    if any(_is_mixed(run) for run in _MIXED.findall(value)):
        return False
    is_piece = len(value) >= _SHORTEST_PIECE
    return not any(secret in value or (is_piece and value in secret) for secret in secrets)


def _are_too_many(secrets: frozenset[str]) -> bool:
    return len(secrets) > _MOST_SECRETS or sum(map(len, secrets)) > _MOST_HIDDEN


def _is_mixed(run: str) -> bool:
    """Tell whether letters and digits are mixed as in a piece of a credential, as in no word."""
    is_long = len(run) >= _LONG_WORD and run.lower() != run
    return is_long or not _WORD.fullmatch(run)


def path_text(path: Path, secrets: frozenset[str]) -> str:
    """Return a path as `eni_conf.vswitches.cn-hangzhou-g[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        name = step if may_name(step, secrets) else "(hidden)"
        text += f".{name}" if text else name
    return text


def may_name(step: str | int, secrets: frozenset[str]) -> bool:
    """Tell whether a key may be named."""
    return isinstance(step, int) or (step.isprintable() and _may_show(step, secrets))


def _is_harmless(word: str) -> bool:
    return bool(_RESOURCE.fullmatch(word) or _HARMLESS.fullmatch(word))


def masked(line: str, secrets: frozenset[str]) -> str:
    """Return a line of a document with dots for every word that is not known to be harmless."""
    crowded = _are_too_many(secrets)
    searched = () if crowded else secrets

    def word(found: re.Match[str]) -> str:
        token = found.group()
        core = token.strip(":")
        if core in secrets or any(secret in core for secret in searched):
            return "•" * len(token)
        if core in _KNOWN or not core or (not crowded and _is_harmless(core)):
            return token
        return _LETTER.sub("•", token)

    return _TOKEN.sub(word, line)
