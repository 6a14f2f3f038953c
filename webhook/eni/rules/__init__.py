"""The rules of eni-config, one module each; the module's docstring is its page in the manual.

Every module has ID, SUMMARY, LEVEL and check(document), which yields findings and never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from webhook.eni.document import EniDocument
from webhook.eni.rules import eni001, eni003, eni005, eni020, eni021
from webhook.findings import Finding, Level


class Rule(Protocol):
    """What a rule's module offers."""

    ID: str
    SUMMARY: str
    LEVEL: Level

    def check(self, document: EniDocument, /) -> Iterator[Finding]:
        """Yield what is wrong."""


RULES: dict[str, Rule] = {
    "ENI001": eni001,
    "ENI003": eni003,
    "ENI005": eni005,
    "ENI020": eni020,
    "ENI021": eni021,
}
