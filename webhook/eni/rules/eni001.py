"""eni_conf is missing or blank.

Terway reads its whole configuration from the key `eni_conf` and stops without it
(types/daemon/config.go; daemon/builder.go).
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument
from webhook.findings import Finding, Level

ID = "ENI001"
SUMMARY = "eni_conf is missing or blank"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Finding]:
    """Yield a finding when there is no eni_conf."""
    if document.eni_conf is None:
        yield document.finding(
            ID,
            LEVEL,
            "data.eni_conf",
            "is missing or empty; Terway cannot start without it",
            fix="put the JSON object under the key eni_conf",
        )
