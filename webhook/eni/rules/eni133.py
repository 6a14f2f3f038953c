"""Merged with eni-config, an override breaks it.

Each of the two may be right alone while the document that terwayd decodes after the merge is not:
eleven security groups, a rate without a burst (types/daemon/config.go:206-212, v1.17.5). Only an
audit that sees both can tell.

Wrong: override.eni_conf: {"security_group": ["sg-1"]}
Wrong: base.eni_conf: {"security_group": "sg-2"}
Right: override.eni_conf: {"security_group": "sg-1"}
Right: base.eni_conf: {"security_group": "sg-2"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "dynamic-merge"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each error that eni-config does not have alone."""
    for finding in document.around.merged if document.partial else ():
        yield Fault(
            path=("data", document.conf.key),
            message=f"as merged with eni-config: {finding}",
            fix=finding.fix or "correct the override",
        )
