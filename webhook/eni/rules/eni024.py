"""The AccessKey ID has an unusual shape.

IDs begin with LTAI and have 16 to 30 letters and digits; old ones have 16 without LTAI (RAM
reference, CreateAccessKey). Terway checks nothing (daemon/builder.go:173, v1.17.5).

Wrong: eni_conf: {"access_key": "0Old1Shape2Of3Id", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "access-key-shape"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the ID does not look like one."""
    if document.flaws.get("access_key") is Flaw.SHAPE:
        length = len((document.values or {})["access_key"])
        yield Fault(
            path=(document.conf.key, "access_key"),
            message=f"does not look like an AccessKey ID (LTAI...), it has {length} characters",
            fix="compare it with the RAM console",
        )
