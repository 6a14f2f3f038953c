"""eni-config is deleted.

terwayd mounts it and cannot start without it: from the next restart on, nodes lose their pod
network (daemon/builder.go:87; charts/terway/templates/terwayd/daemonset.yaml:70, v1.17.5).

Wrong: delete: eni-config
Right: metadata.annotations.hybrid-guard.io/allow-delete: true
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "delete"
LEVEL = Level.ERROR
ALLOW = "hybrid-guard.io/allow-delete"


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for a deletion that the object does not allow."""
    if not document.deleting or document.annotations.get(ALLOW) == "true":
        return
    ref = document.ref
    where = f"-n {ref.namespace} configmap {ref.name}" if ref else "configmap NAME"
    yield Fault(
        path=("metadata", "name"),
        message="terwayd cannot start without this ConfigMap",
        fix=f"if it must go: kubectl annotate {where} {ALLOW}=true",
    )
