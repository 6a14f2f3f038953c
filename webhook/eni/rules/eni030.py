r"""kubectl's annotation holds a copy of the credentials.

`kubectl apply` keeps the whole manifest in the annotation last-applied-configuration, credentials
included, so they stay readable there even after data got new ones (kubectl apply, client-side;
Terway v1.17.5 has no say in it). `kubectl apply --server-side` writes no such copy.

Wrong: metadata.annotations.kubectl.kubernetes.io/last-applied-configuration:
    {"data": {"eni_conf": "{\"access_key\": \"LTAI5tExampleOfAnId00001\"}"}}
Right: metadata.annotations.kubectl.kubernetes.io/last-applied-configuration:
    {"data": {"eni_conf": "{\"access_key\": \"\"}"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "credentials-in-annotation"
LEVEL = Level.NOTE
_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_PAIR = re.compile(
    r'access_(?:key|secret)\\*+"\s*+:\s*+\\*+"(?P<value>[^"\\]{4,256}+)',
    re.ASCII | re.IGNORECASE,
)


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a note for a copy, a warning when it has a credential that data no longer has."""
    text = document.annotations.get(_ANNOTATION)
    if not isinstance(text, str):
        return
    values = document.values or {}
    now = {values.get("access_key"), values.get("access_secret")}
    copies = (found["value"] in now for found in _PAIR.finditer(text))
    first = next(copies, None)
    if first is None:
        return
    is_old = not (first and all(copies))
    yield Fault(
        path=("metadata", "annotations", _ANNOTATION),
        message="holds a credential that data no longer has"
        if is_old
        else "holds a copy of the credentials",
        fix="use kubectl apply --server-side and delete the annotation",
        level=Level.WARNING if is_old else LEVEL,
    )
