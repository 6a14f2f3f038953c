"""What only several objects together tell: the network, Terway's NetworkPolicy, its CRDs, Calico.

Terway v1.17.5 runs Felix for NetworkPolicy with veth and iptables (cmd/terway-cli/policy.go:104).
Felix reads eight CRDs of Calico's, and owns the chains, the interface prefix and the port that
calico-node uses. The chart's own CRDs have no `spec` in their schema: applied over a real Calico's
they empty its objects (Terway issue 107).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook.admission import configmap
from webhook.audit import network
from webhook.audit.origin import Origin, start_of
from webhook.detect import Survey
from webhook.eni import document, network_policy
from webhook.eni.fields import CALICO_CRDS, CALICO_GROUP, POLICY_SWITCH
from webhook.findings import Finding, Level, Location, ObjectRef
from webhook.policy.model import Policy
from webhook.workloads import mapping_of, mappings, ref_of

_CRDS = "customresourcedefinitions"
_CRDS_FIX = "apply what `hybrid-guard crds print` prints"


@dataclass(slots=True)
class Seen:
    """The few facts kept of all objects looked at; each with its place."""

    policy: Policy
    on: list[tuple[ObjectRef, Location]] = field(default_factory=list)
    crds: dict[str, tuple[str, bool, ObjectRef, Location]] = field(default_factory=dict)
    calico: list[tuple[ObjectRef, Location]] = field(default_factory=list)
    terway: bool = False
    survey: Survey = field(default_factory=lambda: Survey(others=False))

    def add(self, obj: dict[str, Any], origin: Origin) -> None:
        """Keep what an object has to say."""
        self.survey.add(obj, lambda: start_of(origin))
        kind = obj.get("kind")
        if kind == "ConfigMap":
            self._config_map(obj, origin)
        elif kind == "CustomResourceDefinition":
            self._crd(obj, origin)
        elif kind == "DaemonSet":
            ref = ref_of(obj)
            if ref.name == "calico-node":
                self.calico.append((ref, start_of(origin)))
            self.terway = self.terway or ref.name.startswith("terway")

    def _config_map(self, obj: dict[str, Any], origin: Origin) -> None:
        ref, eni = ref_of(obj), self.policy.eni
        if (ref.namespace, ref.name) != (eni.namespace, eni.name):
            return
        if not configmap.is_judged(obj, ref.name, eni):
            return
        if network_policy.runs_felix(document.read(obj, eni.credentials.value, ref=ref)):
            self.on.append((ref, start_of(origin)))

    def _crd(self, obj: dict[str, Any], origin: Origin) -> None:
        ref = ref_of(obj)
        plural, _, group = ref.name.partition(".")
        if group == CALICO_GROUP and plural in CALICO_CRDS:
            keeps = _keeps_spec(obj.get("spec"))
            self.crds[plural] = (ref.api_version, keeps, ref, start_of(origin))

    def calico_crds(self, blind: frozenset[str], *, live: bool) -> frozenset[str] | None:
        """Return which of Calico's CRDs there are; None where that cannot be told.

        A lone ConfigMap in a file tells nothing of them.
        """
        if _CRDS in blind or not (live or self.terway or self.crds):
            return None
        return frozenset(self.crds)

    def findings(self, crds: frozenset[str] | None) -> Iterator[Finding]:
        """Yield HG201 to HG205; nothing is missing where `crds` are not known."""
        yield from network.findings(self.survey, self.policy)
        for ref, location in self.on:
            yield from self._missing(ref, location, crds)
            for calico, _ in self.calico[:1]:
                yield Finding(
                    rule="HG205",
                    level=Level.WARNING,
                    message=f"data.{POLICY_SWITCH}: NetworkPolicy is on beside {calico}: Felix and "
                    "calico-node must never share a node, and a GlobalNetworkPolicy acts on both",
                    fix='write "true", or keep calico-node off every cloud node',
                    object=ref,
                    location=location,
                )
        if self.calico:
            yield from self._emptied()

    def _missing(
        self, ref: ObjectRef, location: Location, crds: frozenset[str] | None
    ) -> Iterator[Finding]:
        known = CALICO_CRDS if crds is None else crds
        missing = [name for name in CALICO_CRDS if name not in known]
        old = [name for name, crd in self.crds.items() if crd[0].endswith("/v1beta1")]
        if missing:
            yield _no_crds(ref, location, f"not among these objects: {', '.join(missing)}")
        if old:
            yield _no_crds(ref, location, f"v1beta1, refused since 1.22: {', '.join(old)}")

    def _emptied(self) -> Iterator[Finding]:
        for _, keeps, ref, location in self.crds.values():
            if not keeps:
                yield Finding(
                    rule="HG205",
                    level=Level.WARNING,
                    message="its schema has no spec: applied over Calico's own it empties "
                    "Calico's objects",
                    fix="keep the CRD that Calico brought",
                    object=ref,
                    location=location,
                )


def _no_crds(ref: ObjectRef, location: Location, which: str) -> Finding:
    return Finding(
        rule="HG204",
        level=Level.WARNING,
        message=f"data.{POLICY_SWITCH}: NetworkPolicy is on without its CRDs; {which}",
        fix=_CRDS_FIX,
        object=ref,
        location=location,
    )


def _keeps_spec(spec: Any) -> bool:
    """Tell whether a CRD keeps the `spec` of its objects: by a schema for it, or by all fields."""
    spec = mapping_of(spec)
    versions = mappings(spec.get("versions"))
    if not versions:
        return True  # v1beta1 without a schema prunes nothing
    schemas = [spec.get("validation"), *(version.get("schema") for version in versions)]
    return any(_schema_keeps(mapping_of(schema)) for schema in schemas)


def _schema_keeps(schema: Mapping[str, Any]) -> bool:
    root = mapping_of(schema.get("openAPIV3Schema"))
    has_spec = "spec" in mapping_of(root.get("properties"))
    return has_spec or root.get("x-kubernetes-preserve-unknown-fields") is True
