"""Whether a pod spec keeps its pods on a side, in CEL: `webhook.placement.proof`.

Per term and key, as there: does some requirement refuse what a node of the other side must have,
or is the term one that no node matches? What it does not see is in `UNSEEN`; the chart's README
says it.
"""

from __future__ import annotations

BUDGET = 800_000
"""What one expression may cost at most, in CEL's units; the API server stops it at 1,000,000."""
LARGEST = 5_000
"""How many terms, and how many expressions and fields in all, are counted at all."""
SHORT = 16
"""Up to how many values of an `In` are held against the other expressions on its key."""

INTEGER = 150
"""What it costs to read a value as an integer, for an expression that compares it with one."""

_REQUIRED = "{spec}.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution"
_SPECS = ("object.spec.template.spec", "oldObject.spec.template.spec")

CHANGES = " || ".join(
    " != ".join(part.format(spec=spec) for spec in _SPECS)
    for part in ("{spec}.?nodeSelector", _REQUIRED)
).replace(" || ", "\n|| ")
"""Whether an update changes on which nodes the pods may run."""


MARK_VALUES = "variables.marks.map(k, size(variables.marks[k])).sum()"
"""How many values of marks a term is held against."""


def variables(prefix: str, obj: str) -> dict[str, str]:
    """Return the variables that judge one object, by name: `oldTerms` to `oldPinned`."""
    spec = f"{obj}.spec.template.spec"
    terms, labels = f"variables.{prefix}Terms", f"variables.{prefix}Labels"
    return {
        f"{prefix}Terms": f"{_REQUIRED.format(spec=spec)}.?nodeSelectorTerms.orValue([])",
        f"{prefix}Labels": f"{spec}.?nodeSelector.orValue({{}})",
        f"{prefix}Cost": _cost(terms),
        f"{prefix}Pinned": _pinned(terms, labels),
    }


def _cost(terms: str) -> str:
    """Return the CEL for what judging costs at most: to be counted before it is done.

    A term with E expressions, N values in all, P of them in short `In` lists, G expressions that
    compare integers, under M values of marks: each of M, E and P is held against each expression,
    its key and its values, and each of M, P and G read as an integer for each of G.
    """
    expressions = "t.?matchExpressions.orValue([])"
    fields = "t.?matchFields.orValue([])"
    values = "size(e.?values.orValue([]))"
    held = f"""(variables.markValues
  + {expressions}.map(e, e.operator == 'In' && {values} <= {SHORT} ? {values} : 0).sum())"""
    compared = f"{expressions}.filter(e, e.operator in ['Gt', 'Lt']).size()"
    return f"""\
size({terms}) > {LARGEST} ? {BUDGET + 1} :
{terms}.map(t, size({expressions}) + size({fields})).sum() > {LARGEST} ? {BUDGET + 1} :
{terms}.map(t, 150 + 30 * size({fields}) * size({fields})
  + (size({expressions}) + {held})
  * (30 * size({expressions}) + {expressions}.map(e, {values} + size(e.key) / 10).sum())
  + {compared} * ({compared} + {held}) * {INTEGER}).sum()"""


def _pinned(terms: str, labels: str) -> str:
    return f"""\
(variables.side == 'cloud'
  ? variables.marks.exists(k, variables.marks[k].exists(v, {labels}[?k] == optional.of(v)))
  : variables.marks.all(k, variables.marks[k].all(v, {labels}[?k].orValue(v) != v)))
|| (size({terms}) > 0 && {terms}.all(t,
  [t.?matchExpressions.orValue([])].all(es, [t.?matchFields.orValue([])].all(fs,
    (size(es) == 0 && size(fs) == 0)
    || es.exists(e, e.operator in ['Gt', 'Lt'] && !{_integer("e.values[0]")})
    || (variables.side == 'cloud' ? {_marked()} : {_unmarked(labels)})
    || {_matches_nothing(labels)}
    || fs.exists(f, f.operator == 'In' && fs.exists(g,
      (g.operator == 'In') != (g.values[0] == f.values[0])))))))"""


def _unmarked(labels: str) -> str:
    """Return the CEL for: no node with one of the marks matches the term."""
    return f"""\
variables.marks.all(k, variables.marks[k].all(v,
      {labels}[?k].orValue(v) != v || es.exists(e, e.key == k && {_refuses("e", "v")})))"""


def _marked() -> str:
    """Return the CEL for: only nodes with one of the marks match the term."""
    return f"""\
variables.marks.exists(k, es.exists(e, e.key == k && e.operator == 'In'
      && e.values.all(v, v in variables.marks[k] || (size(e.values) <= {SHORT}
      && es.exists(f, f.key == k && {_refuses("f", "v")})))))"""


def _matches_nothing(labels: str) -> str:
    """Return the CEL for: the requirements on some key contradict each other.

    A label's value has no sign, so it is no integer below 0.
    """
    return f"""\
es.exists(e,
      ({labels}[?e.key].hasValue() && {_refuses("e", f"{labels}[e.key]")})
      || (e.operator == 'In' && size(e.values) <= {SHORT}
        && e.values.all(v, es.exists(f, f.key == e.key && {_refuses("f", "v")})))
      || (e.operator == 'DoesNotExist' && es.exists(f, f.key == e.key
        && f.operator in ['Exists', 'In', 'Gt', 'Lt']))
      || (e.operator == 'Gt' && int(e.values[0]) == 9223372036854775807)
      || (e.operator == 'Lt' && (int(e.values[0]) == 0 || es.exists(f, f.key == e.key
        && f.operator == 'Gt' && int(f.values[0]) >= int(e.values[0]) - 1))))"""


def _refuses(expression: str, value: str) -> str:
    """Return the CEL for: this expression does not match this value of its key."""
    e, v = expression, value
    return f"""\
({e}.operator == 'In' ? !({v} in {e}.values) : {e}.operator == 'NotIn' ? {v} in {e}.values
      : {e}.operator in ['Gt', 'Lt'] ? !({_integer(v)} && ({e}.operator == 'Gt'
      ? int({v}) > int({e}.values[0]) : int({v}) < int({e}.values[0])))
      : {e}.operator == 'DoesNotExist')"""


def _integer(value: str) -> str:
    """Return the CEL for: Go's ParseInt takes a label's value, which has no sign."""
    return (
        f"(size({value}) <= 63 && ({value}.matches('^0*[0-9]{{1,18}}$') ||"
        f" ({value}.matches('^0*[0-9]{{19}}$')"
        f" && {value}.find('[1-9][0-9]*$') <= '9223372036854775807')))"
    )
