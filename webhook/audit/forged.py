"""HG207: an object names an owner that did not make it, and hides behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webhook.findings import Finding, Level, Location
from webhook.owners import Forgery
from webhook.patch import pointer


def findings(forgeries: Iterable[Forgery]) -> Iterator[Finding]:
    """Yield HG207 for each object of a cluster."""
    for forgery in forgeries:
        yield Finding(
            rule="HG207",
            level=Level.ERROR,
            message=f"names {forgery.owner} as its controller, which {forgery.why}: "
            "no template that was judged speaks for it",
            fix="remove the owner reference, or the object",
            object=forgery.ref,
            location=Location(pointer=pointer(("metadata", "ownerReferences"))),
        )
