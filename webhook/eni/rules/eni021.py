"""One credential is there and the other is blank.

Terway takes the pair only when both are set; half a pair is read as none
(ack-ram-tool, pkg/credentials/provider/accesskey_provider.go:22).
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument
from webhook.findings import Finding, Level

ID = "ENI021"
SUMMARY = "one of access_key and access_secret is blank"
LEVEL = Level.ERROR
_PAIR = ("access_key", "access_secret")


def check(document: EniDocument) -> Iterator[Finding]:
    """Yield a finding for the half that is missing."""
    if document.fields is None or document.mode == "off":
        return
    blank = [name for name in _PAIR if not document.text_of(name).strip()]
    if len(blank) == 1:
        other = next(name for name in _PAIR if name not in blank)
        yield document.finding(
            ID,
            LEVEL,
            f"eni_conf.{blank[0]}",
            f"is empty although {other} is set; Terway treats half a pair as no credential",
            fix=f"fill in {blank[0]}",
            node=document.fields.get(blank[0]),
        )
