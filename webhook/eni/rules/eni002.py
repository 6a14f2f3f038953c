"""10-terway.conf is missing or blank.

The init container opens 10-terway.conf before it looks for a 10-terway.conflist, and stops when it
is not there (cmd/terway-cli/common.go:34, v1.17.5).

Wrong: 10-terway.conflist: {"plugins": [{"type": "terway"}]}
Right: 10-terway.conf: {"cniVersion": "0.4.0", "name": "terway", "type": "terway"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CNI_CONF
from webhook.findings import Level

NAME = "cni-conf-missing"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when there is no CNI file; one in binaryData is ENI013's."""
    if document.partial or not document.blank(CNI_CONF) or CNI_CONF in document.binary:
        return
    yield Fault(
        path=("data", CNI_CONF),
        message="is missing; the init container opens it even beside a 10-terway.conflist",
        fix='add {"cniVersion": "0.4.0", "name": "terway", "type": "terway"}',
    )
