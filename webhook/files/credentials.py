"""An AccessKey pair from a file: the RAM console's CSV, or the JSON of CreateAccessKey."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from webhook.files import manifests
from webhook.files.errors import FileError

_FIX = "give the CSV that the RAM console offers, or the JSON that `aliyun ram` prints"
_ID, _SECRET = ("accesskeyid",), ("accesskeysecret", "secretaccesskey")


def read(file: str) -> tuple[str, str]:
    """Return ID and secret. Raises FileError, which never shows what the file holds."""
    text = manifests.read_text(file).removeprefix("\ufeff")
    found = _from_json(text) if text.lstrip().startswith("{") else _from_csv(text)
    pair = _pick(found, _ID), _pick(found, _SECRET)
    if not all(pair):
        raise FileError(file, "no AccessKey pair in it", fix=_FIX)
    return pair


def _from_json(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    inner = body.get("AccessKey", body) if isinstance(body, dict) else {}
    return inner if isinstance(inner, dict) else {}


def _from_csv(text: str) -> dict[str, Any]:
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error:  # such as a field of over 131,072 characters
        return {}
    return {str(key): value for key, value in rows[0].items()} if len(rows) == 1 else {}


def _pick(found: dict[str, Any], names: tuple[str, ...]) -> str:
    for key, value in found.items():
        if "".join(c for c in key if c.isalnum()).lower() in names and isinstance(value, str):
            return value.strip()
    return ""
