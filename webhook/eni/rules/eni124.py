"""NetworkPolicy is on without its CRDs.

Felix stops without the CRDs of crd.projectcalico.org/v1 (charts/terway/templates/terwayd/
daemonset.yaml:286-476, v1.17.5). The vendor's text for them is apiextensions.k8s.io/v1beta1, which
no API server since 1.22 takes. Only an audit that sees the cluster can tell.

Wrong: disable_network_policy: false
Wrong: crds: felixconfigurations
Right: disable_network_policy: true
Right: crds: felixconfigurations
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import network_policy
from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CALICO_CRDS, POLICY_SWITCH
from webhook.findings import Level

NAME = "policy-crds"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault naming the CRDs that are not served; nothing where nobody looked."""
    served = document.around.crds
    if served is None or document.partial or not network_policy.runs_felix(document):
        return
    missing = [name for name in CALICO_CRDS if name not in served]
    if missing:
        yield Fault(
            path=("data", POLICY_SWITCH),
            message=f"NetworkPolicy is on; CRDs missing: {', '.join(missing)}",
            fix="apply `hybrid-guard crds print --cluster`",
        )
