"""eni_conf is missing or blank.

Terway reads its whole configuration from the key `eni_conf`; the init container and terwayd stop
without it (cmd/terway-cli/node.go:96, daemon/builder.go:87, v1.17.5).

Wrong: eni-conf: {"version": "1"}
Right: eni_conf: {"version": "1"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import ENI_CONF
from webhook.findings import Level

NAME = "eni-conf-missing"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when there is no eni_conf; one in binaryData is ENI013's."""
    if document.partial or not document.blank(ENI_CONF) or ENI_CONF in document.binary:
        return
    yield Fault(
        path=("data", ENI_CONF),
        message="is missing or empty; Terway cannot start without it",
        fix="put the JSON object under the key eni_conf",
    )
