"""A key of Terway's stands in binaryData.

A mounted file would look the same, but the control plane reads `data` alone and finds nothing
(types/daemon/dynamicconfig.go:79, v1.17.5), and nobody can check what is in it.

Wrong: binaryData.eni_conf: e30=
Right: eni_conf: {"version": "1"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import DATA_KEYS
from webhook.findings import Level

NAME = "binary-data"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each known key in binaryData."""
    for name in document.binary:
        if name in DATA_KEYS:
            yield Fault(
                path=("binaryData", str(name)),
                message="Terway's control plane reads data only",
                fix="move it to data, as text",
            )
