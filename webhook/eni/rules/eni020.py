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
    elsewhere = document.text_of("ipam_type") == "crd" or document.mode == "secret-or-inline"
    yield document.finding(
        ID,
        Level.WARNING if elsewhere else LEVEL,
        "eni_conf.access_key",
        "this and eni_conf.access_secret are empty; Terway has no other credential here and "
        "cannot create ENIs",
        fix="create a RAM user with the policy Terway needs and fill in both",
        node=document.fields.get("access_key"),
    )
