"""Where policy wants a workload, in CEL: `webhook.policy.decide` for a DaemonSet of the catalogue.

What a policy says enters as words, each of them CEL text; the chart has Helm's words for the same.
The new object is asked: who sets a placement label with an update means that update.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.policy.document import (
    PLACEMENT_LABEL,
    LabelExpression,
    LabelSelectorPart,
    MatchPart,
    PolicyDocument,
)
from webhook.policy.safety_net.known import CONTAINERS, IMAGE_LENGTH
from webhook.policy.safety_net.literals import literal, pattern
from webhook.policy.words import Action, Network, Placement

_LABEL = "object.metadata.?labels[?{key}]"
_CONTAINERS = (
    "(object.spec.template.spec.containers + object.spec.template.spec.?initContainers.orValue([]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What one policy says.

    All but `network` are CEL text: `marks` a map from label keys to the values that tell the
    marked side, `action` the default one, `label` the key of overrides and `label_namespaces` the
    expression for where it counts, `rules` a list of what each rule says ('' where it does not
    fit).
    """

    network: Network
    marks: str
    action: str
    label: str
    label_namespaces: str
    rules: str


def of_policy(policy: PolicyDocument) -> Words:
    """Return the words of a policy."""
    fitting = (r for r in policy.rules if r.match.kinds is None or "DaemonSet" in r.match.kinds)
    rules = (
        f"({all_of(_match(rule.match))})"
        f" ? {literal(_asks(rule.placement, rule.action or policy.defaults.action))} : '',"
        for rule in fitting
    )
    return Words(
        network=policy.network,
        marks=literal({policy.cloud_nodes.key: policy.cloud_nodes.values}),
        action=literal(policy.defaults.action),
        label=literal(policy.overrides.label),
        label_namespaces=pattern(policy.overrides.namespaces),
        rules=" ".join(rules),
    )


def side(words: Words) -> str:
    """Return the CEL for where policy wants it: '' for what is no add-on, any for either side.

    Where policy only warns, what it would have is any: the server lets such an update pass too.
    """
    return f"""\
variables.known == '' ? '' :
variables.label == '' && size(variables.rules) > 0 ? variables.rules[0] :
{words.action} == 'warn' ? 'any' :
variables.label != '' ? variables.label :
variables.namespaceLabel != '' ? variables.namespaceLabel : variables.known"""


def label(words: Words) -> str:
    """Return the CEL for what the workload's own label says."""
    value = f"{_LABEL.format(key=words.label)}.orValue('')"
    return (
        f"{in_namespaces(words.label_namespaces)}\n"
        f"&& {value} in {literal(list(Placement))} ? {value} : ''"
    )


def namespace_label() -> str:
    """Return the CEL for what the namespace's label says; the hooks read it in the same way."""
    value = f"namespaceObject.metadata.?labels[?'{PLACEMENT_LABEL}'].orValue('')"
    return f"{value} in ['on-prem', 'cloud'] ? {value} : ''"


def rules(words: Words) -> str:
    """Return the CEL for what the rules say that fit, in their order."""
    return f"['', {words.rules}].filter(p, p != '')"


def all_of(conditions: Iterator[str]) -> str:
    """Join conditions; without any it holds."""
    return " && ".join(("true", *conditions))


def in_namespaces(regex: str) -> str:
    """Return the condition of `namespaces`."""
    return f"object.metadata.namespace.matches({regex})"


def named(regex: str) -> str:
    """Return the condition of `names`."""
    return f"object.metadata.name.matches({regex})"


def pulling(regex: str) -> str:
    """Return the condition of `images`."""
    return (
        f"[{_CONTAINERS}].exists(cs, size(cs) <= {CONTAINERS} && cs.exists(c,"
        f" size(c.?image.orValue('')) <= {IMAGE_LENGTH} && c.?image.orValue('').matches({regex})))"
    )


def labelled(key: str, value: str) -> str:
    """Return the condition of one of `matchLabels`."""
    return f"{_LABEL.format(key=key)} == optional.of({value})"


def selected(key: str, operator: str, values: str) -> str:
    """Return the condition of one of `matchExpressions`."""
    found = _LABEL.format(key=key)
    return {
        "In": f"{values}.exists(v, {found} == optional.of(v))",
        "NotIn": f"!{values}.exists(v, {found} == optional.of(v))",
        "Exists": f"{found}.hasValue()",
        "DoesNotExist": f"!{found}.hasValue()",
    }[operator]


def _match(match: MatchPart) -> Iterator[str]:
    if match.namespaces is not None:
        yield in_namespaces(pattern(match.namespaces))
    if match.names is not None:
        yield named(pattern(match.names))
    if match.images is not None:
        yield pulling(pattern(match.images))
    if match.labels is not None:
        yield from _labels(match.labels)


def _labels(selector: LabelSelectorPart) -> Iterator[str]:
    for key, value in sorted(selector.match_labels.items()):
        yield labelled(literal(key), literal(value))
    for expression in selector.match_expressions:
        yield _expression(expression)


def _expression(expression: LabelExpression) -> str:
    return selected(literal(expression.key), expression.operator, literal(expression.values))


def _asks(placement: Placement, action: Action) -> Placement:
    return Placement.ANY if action is Action.WARN else placement
