"""NetworkPolicy is being switched on.

With veth and iptables Terway then runs Felix on its nodes (cmd/terway-cli/policy.go:104-135): it
needs eight Calico CRDs, and it owns the chains, interface prefix and port that calico-node uses, so
both must never share a node (deploy/images/policy; plugin/terway/cni.go:35, v1.17.5).

Wrong: disable_network_policy: false
Right: disable_network_policy: true
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import network_policy
from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import POLICY_SWITCH
from webhook.findings import Level

NAME = "policy-on"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault when it is switched on, or an explicit off is taken away."""
    if document.partial or not network_policy.runs_felix(document):
        return
    before = document.before
    written = POLICY_SWITCH in document.data
    was_off = before is not None and not network_policy.is_on(before)
    if was_off or (before is None and written):
        yield Fault(
            path=("data", POLICY_SWITCH),
            message="NetworkPolicy on runs Felix: it needs 8 Calico CRDs and no calico-node beside",
            fix="apply `hybrid-guard crds print`, and keep calico-node off the cloud nodes",
        )
