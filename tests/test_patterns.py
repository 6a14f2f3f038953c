"""Every regular expression of the product takes time in proportion to the text, whatever it holds.

Python's engine tries each way to split a text: two quantifiers that may take the same characters
cost the square of its length, or worse. New patterns are found, and attacked, by themselves.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import certs
import webhook
from tests.attacks import Make, attacks

Run = Callable[[Any], object]
_ANYWHERE = {"search", "finditer", "findall", "sub", "subn", "split"}  # look at every place
_ONCE = {"match", "fullmatch"}
# Small steps: what doubles with a few characters is seen before it hangs.
_SIZES = tuple(int(12 * 1.25**step) for step in range(20))
_HOPELESS = 0.02  # seconds for so little text; what is fine takes microseconds
_KEPT = 3  # the slowest texts of a pattern, which are made longer
_TWICE = 2.6  # as much for twice the text is what noise may make of 2; of a square it is 4
# Patterns that are made of a policy's globs: fnmatch writes them, with nothing to go back to.
_MADE_OF_GLOBS = {
    "webhook.policy.foreign",
    "webhook.policy.globs",
    "webhook.policy.model",
    "webhook.policy.names",
    "webhook.policy.safety_net.literals",
}


class Used(NamedTuple):
    """A pattern, and how it is asked."""

    pattern: re.Pattern[Any]
    way: str


def modules() -> Iterator[ModuleType]:
    for package in (webhook, certs):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def source(module: ModuleType) -> ast.Module:
    return ast.parse(Path(module.__file__ or "").read_text("utf-8"))


@functools.cache
def patterns() -> dict[str, Used]:
    """Every pattern that a module holds, or hands to a function of `re`, in each way it is asked."""
    found = {}
    for module in modules():
        tree = source(module)
        for name, value in vars(module).items():
            for index, pattern in enumerate(held(value)):
                for way in ways(tree, name):
                    found[f"{module.__name__}.{name}.{way}-{index}"] = Used(pattern, way)
        for call, written in inline(tree):
            way = way_of(call.func.attr) if isinstance(call.func, ast.Attribute) else ""
            if isinstance(written, str):
                found[f"{module.__name__}:{call.lineno}.{way}"] = Used(re.compile(written), way)
    return found


def held(value: object) -> list[re.Pattern[Any]]:
    items = list(value.values()) if isinstance(value, dict) else value
    items = items if isinstance(items, (list, tuple)) else [items]
    return [item for item in items if isinstance(item, re.Pattern)]


def way_of(method: str) -> str:
    return method if method in _ONCE else "finditer"


def ways(tree: ast.Module, name: str) -> set[str]:
    """How a module asks its pattern of this name; where it does not itself, in the dearest way."""
    methods = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }
    return {way_of(method) for method in methods & (_ANYWHERE | _ONCE)} or {"finditer"}


def inline(tree: ast.Module) -> Iterator[tuple[ast.Call, object]]:
    """Yield each call of `re` inside a function, and its pattern; None for one made as it runs."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    for call in {node for function in functions for node in ast.walk(function)}:
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "re"
            and call.func.attr in _ANYWHERE | _ONCE | {"compile"}
        ):
            first = call.args[0]
            yield call, first.value if isinstance(first, ast.Constant) else None


def runs(used: Used) -> Run:
    if used.way == "finditer":
        return lambda text: sum(1 for _ in used.pattern.finditer(text))
    run: Run = getattr(used.pattern, used.way)
    return run


def seconds(used: Used, text: str, times: int = 1) -> float:
    sent: Any = text.encode("latin-1") if isinstance(used.pattern.pattern, bytes) else text
    run, best = runs(used), float("inf")
    for _ in range(times):
        started = time.process_time()
        run(sent)
        best = min(best, time.process_time() - started)
    return best


def faults(used: Used) -> list[str]:
    """Return a text for which the cost grows too fast, of those that cost most; [] for none."""
    costs: list[tuple[float, str, Make]] = []
    for name, make in attacks(used.pattern):
        for size in _SIZES:
            cost = seconds(used, make(size))
            if cost > _HOPELESS and seconds(used, make(size), 2) > _HOPELESS:
                return [f"{name} takes {cost:.1f} s at {size} characters"]
        costs.append((cost, name, make))
    costs.sort(key=lambda cost: -cost[0])
    found = (name for _, name, make in costs[:_KEPT] if grows(used, make) and grows(used, make))
    return list(islice(found, 1))


def grows(used: Used, make: Make) -> bool:
    """Tell whether twice the text costs far more than twice as much, three times in a row.

    Once may be a step: from some size on the engine's stack is new memory each time.
    """
    size, cost = _SIZES[0], 0.0
    while cost < 0.0005 and size < 1 << 18:  # less is noise
        size *= 2
        cost = seconds(used, make(size))
    costs = [max(seconds(used, make(size << step), 3), 0.0003) for step in range(4)]
    return all(more > _TWICE * less for less, more in pairwise(costs))


@pytest.mark.parametrize("name", sorted(patterns()))
def test_a_pattern_costs_time_in_proportion_to_the_text(name: str) -> None:
    assert faults(patterns()[name]) == []


def test_no_pattern_is_made_of_what_is_read() -> None:
    made = {
        module.__name__
        for module in modules()
        for _, written in inline(source(module))
        if not isinstance(written, str)
    }

    assert made <= _MADE_OF_GLOBS


@pytest.mark.parametrize(
    ("written", "way"),
    [
        (r"[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?)(?:e[0-9]+)?", "fullmatch"),
        (r"(?:[a-z]+-?)+", "fullmatch"),
        (r":[^/]*$", "finditer"),
        (r'("(?:[^"\\]|\\.)*")|//[^\n]*', "finditer"),
        (r"(?:^%[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*)+\Z", "finditer"),
    ],
)
def test_a_pattern_that_goes_back_and_back_is_found(written: str, way: str) -> None:
    assert faults(Used(re.compile(written, re.MULTILINE | re.DOTALL), way))
