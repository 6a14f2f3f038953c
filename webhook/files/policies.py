"""The policy file: parsed, with each problem's line."""

from __future__ import annotations

from pathlib import Path

import yaml

from webhook.files import loader, manifests
from webhook.files.errors import FileError
from webhook.policy import parse
from webhook.policy.model import Policy


class PolicyFileError(ValueError):
    """A policy file with problems; the text lists them all, one or two lines each, in order."""


def load(path: Path) -> Policy:
    """Load a policy file. Raises FileError or PolicyFileError, both with file, line and fix."""
    return _parse(manifests.read_text(str(path)), str(path))


def parse_bytes(content: bytes, file: str) -> Policy:
    """Return the policy that a file held. Raises as `load` does."""
    return _parse(manifests.decode(content, file), file)


def _parse(text: str, file: str) -> Policy:
    roots = list(loader.nodes(text, file))
    if len(roots) > 1:
        line, column = loader.place(roots[1])
        raise FileError(file, "a policy is one document", line=line, column=column, fix="split it")
    document = loader.construct(roots[0], file) if roots else None
    try:
        return parse.parse(document)
    except parse.PolicyError as error:
        root = roots[0] if roots else None
        problems = [_located(file, root, problem) for problem in error.problems]
        lines = [text for _, text in sorted(problems)]
        if error.more:
            lines.append(f"{file}: and {error.more} more problems")
        raise PolicyFileError("\n".join(lines)) from None


def _located(
    file: str, root: yaml.Node | None, problem: parse.Problem
) -> tuple[tuple[int, int], str]:
    place = (1, 1)
    if root is not None:
        place = loader.place(_key_of(root, problem.pointer))
    error = FileError(file, str(problem), line=place[0], column=place[1], fix=problem.fix)
    return place, str(error)


def _key_of(root: yaml.Node, path: tuple[str | int, ...]) -> yaml.Node:
    """Return the key that a path ends with where there is one, else the deepest node on it."""
    along = loader.find(root, path)
    parent = along[-2] if len(along) == len(path) + 1 and path else along[-1]
    if isinstance(parent, yaml.MappingNode):
        for key, _ in parent.value:
            if path and key.value == path[-1]:
                return key  # type: ignore[no-any-return]  # yaml's nodes hold Any
    return along[-1]
