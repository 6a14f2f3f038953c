"""A credential is still base64.

Values copied out of a Secret's manifest are base64; eni_conf wants plain text and nothing decodes
it (daemon/builder.go:173, v1.17.5). The ID of such a pair begins with TFRBS.

Wrong: eni_conf: {"access_key": "TFRBSTV0RXhhbXBsZU9mQW5JZDAwMDAx", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.credentials import Flaw
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-encoded"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each encoded credential."""
    for name, flaw in document.flaws.items():
        if flaw is Flaw.ENCODED:
            yield Fault(
                path=(document.conf.key, name),
                message="is base64 text; eni_conf wants plain text",
                fix="decode it (base64 -d) and paste the result",
            )
