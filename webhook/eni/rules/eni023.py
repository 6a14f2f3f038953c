"""A credential holds a blank or a character that no credential has.

Nothing trims it: a line break at the end, a zero-width blank or a typographic character is part of
what Terway signs with, and every call is refused (ack-ram-tool,
pkg/credentials/provider/accesskey_provider.go:22; types/daemon/config.go:186, v1.17.5).

Wrong: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001 ", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-whitespace"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each credential with such a character, and say which."""
    values = document.values or {}
    for name, flaw in document.flaws.items():
        if flaw is Flaw.WHITESPACE:
            yield Fault(
                path=(document.conf.key, name),
                message=f"{_where(values[name])}; Terway uses it as it is",
                fix="remove it (write with echo -n, or trim)",
            )


def _where(value: str) -> str:
    if value.endswith(("\n", "\r")):
        return "ends with a line break"
    if value[-1].isspace():
        return "ends with a blank"
    if value[0].isspace():
        return "begins with a blank"
    if value.isascii():
        return "has a blank or a control character inside"
    return "has a character inside that is neither a letter nor a digit of ASCII"
