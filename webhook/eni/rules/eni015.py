"""The ConfigMap is immutable.

Its credentials could not be rotated and no setting corrected without deleting it, and while it is
gone no terwayd can start (daemon/builder.go:87, v1.17.5).

Wrong: immutable: true
Right: immutable: false
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "immutable"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when it can never be changed."""
    if document.immutable:
        yield Fault(
            path=("immutable",),
            message="no mistake in it can be mended, no credential rotated: it can only be deleted",
            fix="leave immutable out; if it is stored so, delete it (ENI140) and create it anew",
        )
