"""What a finding speaks of, on one line: of a file, of JSON in an object, or what chooses nodes.

Nothing else is shown, and credentials are masked: a pod's environment may hold some, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from webhook.placement import selector
from webhook.placement.selector import Path
from webhook.workloads import ShapeError, dotted, mapping_of

_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text, the number of its line, and the column (0-based) of a caret in it.

    `line` is None for an object of a cluster; `caret` is None where the text is all that is meant.
    """

    line: int | None
    text: str
    caret: int | None = None

    def within(self, width: int) -> Excerpt:
        """Return as much of it as fits, around the caret."""
        if len(self.text) <= width:
            return self
        start = max(0, (self.caret or 0) - width // 2)
        shown = self.text[start : start + width]
        if start:
            shown = f"…{shown[1:]}"
        if start + width < len(self.text):
            shown = f"{shown[:-1]}…"
        return Excerpt(self.line, shown, None if self.caret is None else self.caret - start)


def cut(masked_line: str, line: int, column: int) -> Excerpt:
    """Return the excerpt around a column (1-based) of a line that is masked already."""
    return _printable(Excerpt(line, masked_line, min(column - 1, len(masked_line))))


def of_pod_spec(pod_spec: dict[str, Any], path: Path, line: int | None) -> Excerpt | None:
    """Return what a pod spec says of nodes, all of it or one term; or the image at a path."""
    try:
        said = "; ".join(_said(pod_spec, path))
    except ShapeError:
        return None
    return _printable(Excerpt(line, said)) if said else None


def _said(pod_spec: dict[str, Any], path: Path) -> Iterator[str]:
    depth = len(selector.TERMS)
    if path[-1:] == ("image",):
        yield f"{dotted(path)}: {_at(pod_spec, path)}"
    elif path[:depth] == selector.TERMS and len(path) > depth:
        yield _term(pod_spec, path[depth])
    elif not path:
        labels = mapping_of(pod_spec.get("nodeSelector"))
        terms = range(len(selector.raw_terms(pod_spec)))
        if labels:
            yield f"nodeSelector: {', '.join(f'{key}={value}' for key, value in labels.items())}"
        yield from (_term(pod_spec, index) for index in terms)
        if not labels and not terms:
            yield "no nodeSelector, no nodeSelectorTerms"


def _term(pod_spec: dict[str, Any], index: str | int) -> str:
    path = (*selector.TERMS, index)
    words = [selector.in_words(*raw) for raw in selector.raw_expressions(_at(pod_spec, path), path)]
    return f"{dotted(path[-2:])}: {', '.join(words) or 'empty'}"


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _printable(whole: Excerpt) -> Excerpt:
    part = whole.within(_WIDTH)
    return replace(part, text="".join(c if c.isprintable() else " " for c in part.text))
