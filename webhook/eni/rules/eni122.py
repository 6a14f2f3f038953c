"""disable_network_policy is not written out.

Upstream Terway reads its absence as ON (cmd/terway-cli/common.go:31, 56, v1.17.5), while ACK
documents registered clusters as OFF by default: which it is depends on who packed the add-on.

Wrong: eni_conf: {"version": "1"}
Right: disable_network_policy: true
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import POLICY_SWITCH
from webhook.findings import Level

NAME = "policy-implicit"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when the key is absent."""
    if document.partial or POLICY_SWITCH in document.data or POLICY_SWITCH in document.binary:
        return
    yield Fault(
        path=("data", POLICY_SWITCH),
        message="absent: upstream Terway reads that as ON, ACK documents OFF; write it out",
        fix='write "true" or "false"',
    )
