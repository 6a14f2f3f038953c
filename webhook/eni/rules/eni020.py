"""Both credentials are blank.

In a registered cluster nothing else gives Terway rights on the cloud: its nodes have no RAM role
for it and no token is written, so the first call fails and no ENI is made (daemon/builder.go:172,
218, v1.17.5). With `ipam_type: crd` the daemon makes no calls of its own (daemon/builder.go:473),
so there it is a warning, and where the policy says `secret-or-inline` too: the Secret
alibaba-addon-secret may hold them.

Wrong: eni_conf: {"access_key": "", "access_secret": ""}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001", "access_secret":
    "Example0Of1A2Secret3With4Thirt"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-missing"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when neither credential is there."""
    values = document.required
    if values is None or document.mode == "off" or _any_given(document):
        return
    level, meaning, fix = _meaning(document)
    yield Fault(
        path=(document.conf.key, "access_key"),
        message=f"this and access_secret are empty; {meaning}",
        fix=fix,
        level=level,
    )


def _any_given(document: EniDocument) -> bool:
    values = document.values or {}
    return any(
        values[name].strip() or document.mistyped(name) for name in ("access_key", "access_secret")
    )


def _meaning(document: EniDocument) -> tuple[Level, str, str]:
    """Return how bad it is here, what follows from it, and what to do."""
    if (document.values or {})["ipam_type"] == "crd":
        return (
            Level.WARNING,
            "in crd mode Terway's controller needs a pair of its own",
            "put one into Secret kube-system/terway-controlplane-credential",
        )
    if document.mode == "secret-or-inline":
        return (
            Level.WARNING,
            "Secret alibaba-addon-secret must hold both",
            "create Secret kube-system/alibaba-addon-secret with access-key-id, access-key-secret",
        )
    return (
        LEVEL,
        "Terway has no other credential here and cannot create ENIs",
        "create a RAM user with the policy of `hybrid-guard ram-policy print` and fill in both",
    )
