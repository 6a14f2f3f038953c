"""A credential is a placeholder.

Samples carry `ak` and `sk`, `<your AccessKey ID>`, `****` or a run of x (terway-windows.yml:71;
docs/dynamic-config.md:8, v1.17.5). Terway takes them as they are and the cloud refuses each call.
A real one has at least 16 characters, letters and digits only.

Wrong: eni_conf: {"access_key": "ak", "access_secret": "sk"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-placeholder"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each placeholder."""
    for name, flaw in document.flaws.items():
        if flaw is Flaw.PLACEHOLDER:
            yield Fault(
                path=(document.conf.key, name),
                message="looks like a placeholder, no credential of Alibaba Cloud",
                fix="paste the real value",
            )
