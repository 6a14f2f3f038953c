"""Where a workload belongs, and who says so: its label, a rule, its namespace, or the catalogue."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from webhook.findings import Finding, Level, Location
from webhook.patch import pointer
from webhook.policy import catalogue
from webhook.policy.model import Policy
from webhook.policy.words import Action, Conflicts, Enforcement, Placement
from webhook.workloads import Workload

_PREFERRED_WEIGHT = 100


class Source(enum.StrEnum):
    """Who decided."""

    LABEL = "label"
    RULE = "rule"
    NAMESPACE = "namespace"
    CATALOGUE = "catalogue"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where a workload belongs. `rule` names who said so; `why` says it to people.

    `problem` tells of a placement label whose value is not known, and which was passed over.
    """

    placement: Placement
    source: Source
    rule: str
    why: str
    action: Action
    conflicts: Conflicts
    enforcement: Enforcement = Enforcement.REQUIRED
    weight: int = _PREFERRED_WEIGHT
    problem: Finding | None = None


def decide(
    workload: Workload, policy: Policy, *, namespace_placement: Placement | None = None
) -> Decision:
    """Decide where a workload belongs: label, rules in order, namespace, catalogue, else any."""
    problem = None
    text = workload.labels.get(policy.overrides.label)
    if text is not None and policy.overrides.namespaces.match(workload.ref.namespace or ""):
        if text in set(Placement):
            return _by_label(Placement(text), policy)
        problem = _unknown_label(workload, policy, text)
    for rule in policy.near.of(workload.kind.kind, workload.ref.namespace or ""):
        # A name still to be made, images that were not read: what may be meant pins, and frees not.
        if rule.match.fits(workload, surely=rule.placement is Placement.ANY):
            return Decision(
                placement=rule.placement,
                source=Source.RULE,
                rule=rule.name,
                why=f"rule {rule.name}",
                action=rule.action,
                conflicts=policy.conflicts,
                enforcement=rule.enforcement,
                weight=rule.weight,
                problem=problem,
            )
    if namespace_placement is not None:
        return Decision(
            placement=namespace_placement,
            source=Source.NAMESPACE,
            rule="namespace",
            why=f"namespace {workload.ref.namespace} is {namespace_placement}",
            action=policy.action,
            conflicts=policy.conflicts,
            problem=problem,
        )
    return _by_catalogue(workload, policy, problem)


def _by_label(placement: Placement, policy: Policy) -> Decision:
    return Decision(
        placement=placement,
        source=Source.LABEL,
        rule="label",
        why=f"its label {policy.overrides.label}",
        action=policy.action,
        conflicts=policy.conflicts,
    )


def _by_catalogue(workload: Workload, policy: Policy, problem: Finding | None) -> Decision:
    """Ask the catalogue; what it does not know is left alone."""
    found = catalogue.find(workload) if policy.catalogue else None
    if found is None and policy.catalogue and catalogue.may_hold(workload):
        return Decision(
            placement=Placement.ON_PREM,
            source=Source.CATALOGUE,
            rule="catalogue",
            why="it may be an add-on of the catalogue",
            action=policy.action,
            conflicts=Conflicts.WARN,
            problem=problem,
        )
    if found is None:
        return Decision(
            placement=Placement.ANY,
            source=Source.DEFAULT,
            rule="default",
            why="no rule and no entry of the catalogue names it",
            action=policy.action,
            conflicts=policy.conflicts,
            problem=problem,
        )
    addon, companion = found
    name = f"companion of {addon.name}" if companion else addon.name
    return Decision(
        placement=addon.placement(policy.network),
        source=Source.CATALOGUE,
        rule=f"catalogue/{addon.name}",
        why=f"{name}, {policy.network} network",
        action=policy.action,
        conflicts=Conflicts.WARN,
        problem=problem,
    )


def _unknown_label(workload: Workload, policy: Policy, text: str) -> Finding:
    return Finding(
        rule="HG100",
        level=Level.WARNING,
        message=f"label {policy.overrides.label}={text} is passed over: it is not a placement",
        fix="write on-prem, cloud or any",
        object=workload.ref,
        location=Location(pointer=pointer(("metadata", "labels", policy.overrides.label))),
    )
