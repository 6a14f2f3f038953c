"""The two credentials are swapped.

The secret begins with LTAI as IDs do, and the ID has the 30 characters of a secret. Terway takes
both as they are (daemon/builder.go:173, v1.17.5).

Wrong: eni_conf: {"access_key": "Example0Of1A2Secret3With4Thirt", "access_secret":
    "LTAI5tExampleOfAnId00001"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-swapped"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield one fault for the pair."""
    if Flaw.SWAPPED in document.flaws.values():
        yield Fault(
            path=(document.conf.key, "access_key"),
            message="looks like the secret, and access_secret like the ID: they are swapped",
            fix="exchange the two values",
        )
