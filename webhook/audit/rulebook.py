"""Every rule's page in one book, of the probe and eni-config too. docs/rules.md is its text."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from webhook.audit.pages import PAGES
from webhook.eni import manual
from webhook.eni.manual import Page
from webhook.eni.rules import RULES

_TOPICS = {"HG1": "placement", "HG2": "network", "HG3": "probe", "ENI": "eni-config"}
_HEAD = """\
# The rules

Generated from `webhook/audit/pages.py` and `webhook/eni/rules` by `make docs`; a test compares the
two. An **error** makes `hybrid-guard audit` exit with 1 and, at admission, denies the write; a
**warning** is shown to whoever writes; a **note** appears in audits only. A rule that can be worse
or milder than its level says so below. HG3xx are told by `hybrid-guard probe` alone.
"""


@functools.cache
def pages() -> Mapping[str, Page]:
    """Return the pages by rule id, in order."""
    return {page.rule: page for page in (*PAGES, *(manual.page(rule) for rule in sorted(RULES)))}


def topic(rule: str) -> str:
    """Return what a rule is about: placement, network, probe or eni-config."""
    return _TOPICS.get(rule[:3], "other")


def text() -> str:
    """Return the whole book in Markdown."""
    rows = [
        f"| [{p.rule}](#{p.rule.lower()}-{p.name}) | {p.level} | {p.summary} |"
        for p in pages().values()
    ]
    table = ["| rule | level | what |", "|---|---|---|", *rows, ""]
    return "\n".join([_HEAD, *table, *map(manual.markdown, PAGES), manual.text()])
