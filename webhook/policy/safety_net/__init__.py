"""The safety net: a ValidatingAdmissionPolicy that keeps pins on add-ons while the server is down.

`expressions` makes its CEL from a policy, in the API server's words and for Kubernetes 1.30 and
newer: `known` says which add-on an object was, `asked` where policy wants it, `pinned` whether its
pod spec keeps it there. The chart's template is made by the same function, of Helm's words.
"""

from __future__ import annotations

from dataclasses import dataclass

from webhook.policy.safety_net import asked, known, pinned
from webhook.policy.safety_net.asked import Words, of_policy

__all__ = ["Condition", "Expressions", "Words", "expressions", "of_policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A named CEL expression."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """The CEL of the policy: what it looks at, in which words, what must hold, what it says."""

    conditions: tuple[Condition, ...]
    variables: tuple[Condition, ...]
    validation: str
    message: str


def expressions(words: Words) -> Expressions:
    """Return the CEL for a policy's words.

    An evaluation that fails, or costs more than the API server grants, would let the update pass
    (`failurePolicy: Ignore`): each access is guarded, and what is too large is counted, not judged.
    """
    variables = {
        "marks": words.marks,
        "markValues": pinned.MARK_VALUES,
        "known": known.side(words.network),
        "label": asked.label(words),
        "rules": asked.rules(words),
        "namespaceLabel": asked.namespace_label(),
        "side": asked.side(words),
        **pinned.variables("old", "oldObject"),
        **pinned.variables("new", "object"),
    }
    return Expressions(
        conditions=(
            Condition(
                name="not-being-deleted", expression="!has(object.metadata.deletionTimestamp)"
            ),
            Condition(name="node-selection-changes", expression=pinned.CHANGES),
        ),
        variables=tuple(Condition(name=name, expression=text) for name, text in variables.items()),
        validation=_VALIDATION,
        message=_MESSAGE,
    )


_VALIDATION = f"""\
!(variables.side in ['on-prem', 'cloud'])
|| (variables.newCost <= {pinned.BUDGET} && variables.newPinned)
|| (variables.oldCost <= {pinned.BUDGET} && !variables.oldPinned)"""

_MESSAGE = f"""\
variables.newCost > {pinned.BUDGET} || variables.oldCost > {pinned.BUDGET}
? 'HG109 this update changes on which nodes ' + object.metadata.name + ' may run, and so many node'
+ ' terms or values cannot be judged: write fewer, or delete the binding of the safety net first'
: 'HG107 this update takes the pin to ' + variables.side + ' nodes off ' + object.metadata.name
+ ': keep ' + variables.marks.map(k, k).join(', ') + ' in every nodeSelectorTerm'"""
