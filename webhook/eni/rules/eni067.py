"""The Kubernetes client's rate and burst do not fit.

With kube_client_qps above 0 and no burst, client-go panics while terwayd starts ("burst is required
to be greater than 0 when QPS is set"; pkg/k8s/k8s.go:112-143, v1.17.5). A burst not above the rate
never lets a burst through.

Wrong: eni_conf: {"kube_client_qps": 20}
Right: eni_conf: {"kube_client_qps": 20, "kube_client_burst": 30}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "kube-client"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield an error without a burst, a warning for a small one; overrides have no say (ENI131)."""
    values = document.required
    if values is None or values["kube_client_qps"] <= 0:
        return
    rate, burst = values["kube_client_qps"], values["kube_client_burst"]
    path = (document.conf.key, "kube_client_burst")
    if document.mistyped("kube_client_burst") or burst > rate:
        return
    if burst <= 0:
        message = "kube_client_qps is set and this is not above 0; terwayd panics at its start"
        yield Fault(path=path, message=message, fix="set both, the burst above the rate")
    else:
        yield Fault(
            path=path,
            message=f"{burst} is not above kube_client_qps",
            fix="set it above kube_client_qps",
            level=Level.WARNING,
        )
