"""One credential is there and the other is blank.

Terway takes the pair only when both are set; half a pair is read as none
(ack-ram-tool, pkg/credentials/provider/accesskey_provider.go:22; daemon/builder.go:173, v1.17.5).

Wrong: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret": ""}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CREDENTIALS
from webhook.findings import Level

NAME = "credentials-half"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for the half that is missing; of an override ENI132 says so."""
    values = document.required
    if values is None or document.mode == "off":
        return
    blank = [n for n in CREDENTIALS if not values[n].strip() and not document.mistyped(n)]
    if len(blank) == 1:
        other = next(name for name in CREDENTIALS if name not in blank)
        yield Fault(
            path=(document.conf.key, blank[0]),
            message=f"is empty although {other} is set; Terway treats half a pair as no credential",
            fix=f"fill in {blank[0]}",
        )
