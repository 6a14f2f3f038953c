"""A policy ready to be asked: globs compiled, kinds resolved, nothing left to check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate

from webhook.placement.model import CloudNodes
from webhook.policy.document import LabelSelectorPart
from webhook.policy.words import (
    Action,
    Conflicts,
    Credentials,
    Enforcement,
    Network,
    OnUpdate,
    Placement,
)
from webhook.workloads import Workload, WorkloadKind, images

Globs = re.Pattern[str]


def globs(patterns: Iterable[str]) -> Globs:
    """Compile shell-style globs into one pattern that matches when any of them does."""
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a rule applies to; None fits everything."""

    kinds: frozenset[str] | None = None
    namespaces: Globs | None = None
    names: Globs | None = None
    labels: LabelSelectorPart | None = None
    images: Globs | None = None

    def fits(self, workload: Workload) -> bool:
        """Tell whether a workload is meant."""
        return (
            (self.kinds is None or workload.kind.kind in self.kinds)
            and (self.namespaces is None or _fits(self.namespaces, workload.ref.namespace or ""))
            and (self.names is None or _fits(self.names, workload.ref.name))
            and (self.labels is None or _selects(self.labels, workload))
            and (self.images is None or _pulls(self.images, workload))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the user's."""

    name: str
    match: Match
    placement: Placement
    enforcement: Enforcement
    weight: int
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The label by which a workload decides for itself, and the namespaces where it may."""

    label: str
    namespaces: Globs


@dataclass(frozen=True, slots=True, kw_only=True)
class EniPolicy:
    """Which ConfigMap is Terway's, and how it may get credentials."""

    namespace: str
    name: str
    credentials: Credentials
    installers: Globs


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy ready to be asked."""

    cloud_nodes: CloudNodes
    network: Network
    catalogue: bool
    action: Action
    conflicts: Conflicts
    on_update: OnUpdate
    rules: tuple[Rule, ...]
    kinds: tuple[WorkloadKind, ...]
    overrides: Overrides
    eni: EniPolicy


def _fits(pattern: Globs, text: str) -> bool:
    return pattern.match(text) is not None


def _pulls(pattern: Globs, workload: Workload) -> bool:
    if workload.beyond is not None:
        return True
    found = images(workload.pod_spec, "containers", "initContainers")
    return any(_fits(pattern, image) for image in found)


def _selects(selector: LabelSelectorPart, workload: Workload) -> bool:
    labels = workload.labels
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    for expression in selector.match_expressions:
        value = labels.get(expression.key)
        holds = {
            "In": value in expression.values,
            "NotIn": value not in expression.values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[expression.operator]
        if not holds:
            return False
    return True
