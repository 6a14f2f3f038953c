"""The AccessKey secret has an unusual shape.

A secret has 30 letters and digits (RAM reference, CreateAccessKey). Terway checks nothing
(daemon/builder.go:173, v1.17.5).

Wrong: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Sample0Of1A2Secret3Cut"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "access-secret-shape"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the secret does not look like one."""
    if document.flaws.get("access_secret") is Flaw.SHAPE:
        length = len((document.values or {})["access_secret"])
        yield Fault(
            path=(document.conf.key, "access_secret"),
            message=f"has {length} characters, a secret has 30",
            fix="compare it with what was downloaded when the key was made",
        )
