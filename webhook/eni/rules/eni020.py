"""Both credentials are blank.

In a registered cluster nothing else gives Terway rights on the cloud: its nodes have no RAM role
for it and no token is written, so the first call fails and no ENI is made (daemon/builder.go:172,
218). With `ipam_type: crd` the daemon makes no calls of its own, so there it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument
from webhook.findings import Finding, Level

ID = "ENI020"
SUMMARY = "access_key and access_secret are blank"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Finding]:
    """Yield a finding when neither credential is there."""
    if document.fields is None or document.mode == "off":
        return
    if document.text_of("access_key").strip() or document.text_of("access_secret").strip():
        return
    level, meaning, fix = _meaning(document)
    yield document.finding(
        ID,
        level,
        "eni_conf.access_key",
        f"this and access_secret are empty; {meaning}",
        fix=fix,
        node=document.fields.get("access_key"),
    )


def _meaning(document: EniDocument) -> tuple[Level, str, str]:
    """Return how bad it is here, what follows from it, and what to do."""
    if document.text_of("ipam_type") == "crd":
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
        "create a RAM user with the policy Terway needs and fill in both",
    )
