"""ipam_type is unknown.

Only `crd` in lower case is special; with `CRD` the legacy allocator runs without a word, on nodes
whose pods expect the other (daemon/daemon.go:826;
terway-controlplane.go:396, v1.17.5). `default` and `preferCRD` are names from the code that
nothing reads: a warning.

Wrong: eni_conf: {"ipam_type": "CRD"}
Right: eni_conf: {"ipam_type": "crd"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "ipam-type"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for any other value."""
    value = (document.values or {}).get("ipam_type", "")
    if value in ("", "crd") or templates.in_value(value):
        return
    yield Fault(
        path=(document.conf.key, "ipam_type"),
        message=f"{quoting.shown(value, document.secrets)} is not crd; the legacy allocator runs",
        fix="write crd in lower case, or leave it out for the legacy allocator",
        level=Level.WARNING if value in ("default", "preferCRD") else LEVEL,
    )
