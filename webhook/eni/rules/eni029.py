"""credential_path is set.

The file it names is written in ACK managed clusters only; in a registered cluster it is absent and
the next source is tried (types/daemon/config.go:245; daemon/builder.go:174, v1.17.5).

Wrong: eni_conf: {"credential_path": "/var/addon/token-config"}
Right: eni_conf: {"version": "1"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credential-path"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when it is not blank."""
    if document.values is not None and document.values["credential_path"]:
        yield Fault(
            path=(document.conf.key, "credential_path"),
            message="only ACK managed clusters write that file",
            fix="remove it",
        )
