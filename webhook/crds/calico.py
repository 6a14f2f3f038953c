"""The eight CRDs of crd.projectcalico.org that Felix in Terway reads, in apiextensions.k8s.io/v1.

Names and scopes: Terway v1.17.5, charts/terway/templates/terwayd/daemonset.yaml:286-476. Its own
schemas hold no `spec`, so that applied over a real Calico's they empty its objects; here every
field is kept. The vendor's page gives them in v1beta1, which no API server since 1.22 takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webhook.eni.fields import CALICO_CRDS, CALICO_GROUP


@dataclass(frozen=True, slots=True)
class Crd:
    """A kind's names; the plural is what the API server serves it under."""

    kind: str
    plural: str
    namespaced: bool = False

    @property
    def name(self) -> str:
        """The object's name."""
        return f"{self.plural}.{CALICO_GROUP}"

    def manifest(self) -> dict[str, Any]:
        """Return the object."""
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
        }
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
            "spec": {
                "group": CALICO_GROUP,
                "names": {
                    "kind": self.kind,
                    "listKind": f"{self.kind}List",
                    "plural": self.plural,
                    "singular": self.kind.lower(),
                },
                "scope": "Namespaced" if self.namespaced else "Cluster",
                "versions": [version],
            },
        }


_KINDS = (
    "FelixConfiguration",
    "BGPConfiguration",
    "IPPool",
    "HostEndpoint",
    "ClusterInformation",
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "NetworkPolicy",
)
CRDS = tuple(
    Crd(kind, plural, kind == "NetworkPolicy")
    for kind, plural in zip(_KINDS, CALICO_CRDS, strict=True)
)


def missing(names: Iterable[str]) -> tuple[Crd, ...]:
    """Return those that are not among the names of a cluster's CRDs: never one that is there."""
    there = set(names)
    return tuple(crd for crd in CRDS if crd.name not in there)
