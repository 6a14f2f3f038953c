"""Every rule that is told has a page, and the book in the repository is what the pages say."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from webhook.audit import rulebook
from webhook.policy import parse
from webhook.policy.evaluate import evaluate
from webhook.policy.model import Policy
from webhook.workloads import read

POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: terway, match: {names: [terway-eniip]}, placement: cloud}
- {name: soft, match: {kinds: [Deployment], names: [preferred]}, placement: on-prem, enforcement: preferred}
"""
ASKED = {"HG102": "terway-eniip"}  # the others are judged as calico-node, which the catalogue knows
JUDGED = ("HG100", "HG101", "HG102", "HG103", "HG104")


def test_the_book_in_the_repository_is_what_the_pages_say() -> None:
    assert (ROOT / "docs" / "rules.md").read_text() == rulebook.text(), "run `make docs`"


def test_every_rule_that_the_code_makes_findings_of_has_a_page_and_a_line_in_the_readme() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "webhook").rglob("*.py"))
    pages = (ROOT / "webhook" / "audit" / "pages.py").read_text()
    named = set(re.findall(r'"(HG[123]\d\d)["\s]', sources.replace(pages, "")))
    readme = (ROOT / "README.md").read_text().partition("## Findings")[2].partition("\n[docs")[0]

    assert "HG101" in named
    assert named <= set(rulebook.pages())
    assert named <= set(re.findall(r"HG\d{3}", readme))


def test_every_page_says_what_why_wrong_and_right() -> None:
    names = [page.name for page in rulebook.pages().values()]

    assert len(set(names)) == len(names)
    for page in rulebook.pages().values():
        assert page.summary.endswith(".")
        assert len(page.why) > 60
        assert page.wrong
        assert page.right


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse.parse(yaml.safe_load(POLICY))


def told(lines: tuple[str, ...], name: str, policy: Policy) -> list[str]:
    """The rules that the pod spec of an example breaks."""
    spec: dict[str, Any] = {"template": {"spec": yaml.safe_load("\n".join(lines))}}
    names = {"namespace": "kube-system", "name": name}
    workload = read(
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": names, "spec": spec},
        policy.kinds,
    )
    assert workload is not None
    return [finding.rule for finding in evaluate(workload, policy).findings]


@pytest.mark.parametrize("rule", JUDGED)
def test_the_wrong_example_is_found_and_the_right_one_is_not(rule: str, policy: Policy) -> None:
    page, name = rulebook.pages()[rule], ASKED.get(rule, "calico-node")

    assert rule in told(page.wrong, name, policy)
    assert told(page.right, name, policy) == []
