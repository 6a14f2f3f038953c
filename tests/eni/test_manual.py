"""Rules, their tests and their manual are the same list, and every example does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.eni import samples
from tests.eni.test_cases import CASES
from webhook.eni import document, lint, manual
from webhook.eni.document import Around, EniDocument
from webhook.eni.rules import RULES
from webhook.findings import Level

TABLE = [
    *(f"ENI{n:03}" for n in range(1, 16)), *(f"ENI{n:03}" for n in range(20, 31)),
    *(f"ENI{n:03}" for n in range(40, 49)), *(f"ENI{n:03}" for n in range(50, 54)),
    *(f"ENI{n:03}" for n in range(60, 75)), *(f"ENI{n:03}" for n in range(100, 110)),
    *(f"ENI{n:03}" for n in range(120, 125)), *(f"ENI{n:03}" for n in range(130, 135)), "ENI140",
]  # fmt: skip


def test_the_rules_their_tests_and_their_manual_are_one_list() -> None:
    headings = re.findall(r"^## (ENI\d{3}) ", manual.text(), re.MULTILINE)

    assert sorted(RULES) == TABLE
    assert headings == TABLE
    assert sorted({case.rule for case in CASES}) == TABLE


def test_every_module_is_registered_under_its_own_name() -> None:
    modules = sorted(path.stem for path in Path(manual.__file__).parent.glob("rules/eni*.py"))

    assert [name.upper() for name in modules] == TABLE
    for rule, module in RULES.items():
        assert module.__name__.endswith(f".{rule.lower()}")  # type: ignore[attr-defined]
    names = [module.NAME for module in RULES.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", TABLE)
def test_every_page_says_what_why_wrong_and_right(rule: str) -> None:
    page = manual.page(rule)

    assert page.summary.endswith(".")
    assert len(page.why) > 60
    assert "v1.17.5" in page.why, "the version that was read"
    assert page.level in tuple(Level)
    assert page.wrong
    assert page.right


def example(lines: tuple[str, ...]) -> EniDocument:
    """Build the document that an example's lines describe."""
    parts: dict[str, dict[str, Any]] = {"data": {}, "base": {}, "override": {}, "binaryData": {}}
    notes: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for line in lines:
        key, _, text = line.partition(":")
        key, text = key.strip(), text.strip()
        room, dot, name = key.partition(".")
        if dot and room in ("base", "override", "binaryData"):
            parts[room][name] = text
        elif key.startswith("metadata.annotations."):
            notes[key.removeprefix("metadata.annotations.")] = text
        elif key in ("crds", "nodes", "delete", "immutable"):
            given[key] = text
        else:
            parts["data"][key] = True if text.startswith("!!bool") else text
    data = parts["override"] or parts["data"]
    read = document.read(
        {
            "data": data,
            "binaryData": parts["binaryData"],
            "immutable": given.get("immutable") == "true",
            "metadata": {"annotations": notes},
        },
        "inline",
        ref=samples.REF,
        partial=bool(parts["override"]),
        deleting="delete" in given or "hybrid-guard.io/allow-delete" in notes,
    )
    known: dict[str, Any] = {}
    if "crds" in given:
        known["crds"] = frozenset(given["crds"].split())
    if "nodes" in given:
        known["named"] = dict.fromkeys(given["nodes"].split(), 1)
    if parts["base"]:
        known["base"] = document.read({"data": parts["base"]}, "inline")
    return lint.around(read, **known) if known else read


@pytest.mark.parametrize("rule", TABLE)
def test_the_wrong_example_is_found_and_the_right_one_is_not(rule: str) -> None:
    page = manual.page(rule)

    assert list(RULES[rule].check(example(page.wrong)))
    assert list(RULES[rule].check(example(page.right))) == []


def test_examples_hold_real_json() -> None:
    for rule in TABLE:
        page = manual.page(rule)
        for line in page.right:
            key, _, text = line.partition(": ")
            if key.endswith(("eni_conf", ".conf", ".conflist")):
                assert isinstance(json.loads(text), dict), rule


def test_nothing_around_means_that_nobody_looked() -> None:
    assert Around() == document.NOTHING_AROUND
    assert samples.told(samples.conf()) == []
