"""service_cidr is missing.

Terway then reads ConfigMap kube-system/kubeadm-config, and stops where there is none
(pkg/k8s/k8s.go:171-180, 685-716, v1.17.5).

Wrong: eni_conf: {"service_cidr": ""}
Right: eni_conf: {"service_cidr": "172.21.0.0/20"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "service-cidr-missing"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when it is blank."""
    values = document.required
    if values is None or document.mistyped("service_cidr"):
        return
    if not values["service_cidr"].strip():
        yield Fault(
            path=(document.conf.key, "service_cidr"),
            message="is missing; Terway looks in kubeadm-config and stops if that is absent",
            fix="write the --service-cluster-ip-range of the API server",
        )
