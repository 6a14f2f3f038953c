"""The manual of the eni-config rules, out of their docstrings: what, why, wrong and right."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from webhook.eni.rules import RULES
from webhook.findings import Level

_LABELS = ("Wrong: ", "Right: ")
_HEAD = """\
In the examples of eni-config a line names a key of the ConfigMap's `data` and its text; `override.`
stands for a node-level override ConfigMap, `base.` for the eni-config beside it, `crds:` for the
Calico CRDs a cluster serves, `nodes:` for the ConfigMaps that node labels name, `delete:` for a
deletion.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One rule's page. `wrong` and `right` are lines of `KEY: TEXT`."""

    rule: str
    name: str
    level: Level
    summary: str
    why: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]


def page(rule: str) -> Page:
    """Read a rule's docstring."""
    module = RULES[rule]
    summary, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
    why, examples = _split(rest)
    return Page(
        rule=rule,
        name=module.NAME,
        level=module.LEVEL,
        summary=summary.strip(),
        why=why,
        wrong=tuple(text for label, text in examples if label == _LABELS[0]),
        right=tuple(text for label, text in examples if label == _LABELS[1]),
    )


def _split(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the explanation, and the examples; an indented line goes on with the one before."""
    why: list[str] = []
    examples: list[tuple[str, str]] = []
    for line in text.splitlines():
        label = next((label for label in _LABELS if line.startswith(label)), None)
        if label:
            examples.append((label, line.removeprefix(label)))
        elif examples and line.startswith(" "):
            known, before = examples.pop()
            examples.append((known, f"{before} {line.strip()}"))
        else:
            why.append(line)
    return "\n".join(why).strip(), examples


def text() -> str:
    """Return the pages of all rules in Markdown."""
    return "\n".join([_HEAD, *(markdown(page(rule)) for rule in sorted(RULES))])


def markdown(shown: Page) -> str:
    """Return a page under its heading."""
    return f"## {shown.rule} {shown.name}\n\n**{shown.summary}** ({shown.level})\n\n{body(shown)}"


def body(shown: Page) -> str:
    """Return what stands below a page's summary: why, wrong and right."""
    return "\n".join(
        [shown.why, "", "```yaml", "# wrong", *shown.wrong, "# right", *shown.right, "```", ""]
    )
