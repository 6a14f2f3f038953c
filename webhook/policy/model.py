"""A policy ready to be asked: globs compiled, kinds resolved, nothing left to check."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from webhook.placement.model import CloudNodes
from webhook.policy.document import LabelSelectorPart
from webhook.policy.names import Names
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
NAMESPACE_MAX = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a rule applies to; None fits everything."""

    kinds: frozenset[str] | None = None
    namespaces: Globs | None = None
    names: Names | None = None
    labels: LabelSelectorPart | None = None
    images: Globs | None = None

    def fits(self, workload: Workload, *, surely: bool = False) -> bool:
        """Tell whether a workload is meant.

        One whose name is still to be made, or whose images were not read: where it may be meant,
        or `surely` whatever they are.
        """
        return (
            self.is_near(workload.kind.kind, workload.ref.namespace or "")
            and (self.names is None or self.names.fits(workload.ref.name, surely=surely))
            and (self.labels is None or _selects(self.labels, workload))
            and (self.images is None or _pulls(self.images, workload, surely=surely))
        )

    def is_near(self, kind: str, namespace: str) -> bool:
        """Tell whether a workload of that kind in that namespace may be meant."""
        return (self.kinds is None or kind in self.kinds) and (
            self.namespaces is None or _fits(self.namespaces, namespace)
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


class Near:
    """Which rules are worth a look for a kind in a namespace: of a thousand a few, found once.

    What it remembers is bounded: no more than PLACES places, with names that a namespace can have.
    """

    PLACES = 1024

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._found: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def of(self, kind: str, namespace: str) -> tuple[Rule, ...]:
        """Return them in their order; the others fit no workload there."""
        place = (kind, namespace)
        found = self._found.get(place)
        if found is None:
            found = tuple(rule for rule in self._rules if rule.match.is_near(kind, namespace))
            if len(namespace) <= NAMESPACE_MAX and len(self._found) < self.PLACES:
                self._found[place] = found
        return found


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
    near: Near = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make room for what is found of the rules."""
        object.__setattr__(self, "near", Near(self.rules))


def _fits(pattern: Globs, text: str) -> bool:
    return pattern.match(text) is not None


def _pulls(pattern: Globs, workload: Workload, *, surely: bool) -> bool:
    if workload.beyond is not None:
        return not surely
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
