"""A data value is not a string.

A ConfigMap holds strings. The API server refuses `true` or `5` without quotes before any webhook
is asked (API reference, ConfigMap v1 `data`); in a file it is found here.
Terway v1.17.5 reads texts only.

Wrong: disable_network_policy: !!bool true
Right: disable_network_policy: true
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "non-string-data"
LEVEL = Level.ERROR
_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each value of another type; null counts as blank."""
    for name, value in document.data.items():
        if value is not None and not isinstance(value, str):
            kind = _KINDS.get(type(value), "a value of another type")
            yield Fault(
                path=("data", str(name)),
                message=f"must be a string, found {kind}; the API server refuses it",
                fix="put it in quotes, or write it as a block of text",
            )
