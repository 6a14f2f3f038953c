"""The AccessKey is a temporary one.

Keys from STS (`STS....`) work only with their token, for which eni_conf has no field, and they
expire within hours (types/daemon/config.go:33-89, v1.17.5).

Wrong: eni_conf: {"access_key": "STS.Example0Of1A2Temporary3", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "sts-credential"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for a temporary key."""
    for name, flaw in document.flaws.items():
        if flaw is Flaw.STS:
            yield Fault(
                path=(document.conf.key, name),
                message="temporary STS keys need a token that Terway cannot take, and they expire",
                fix="use the key of a RAM user",
            )
