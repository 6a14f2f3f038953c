"""Run every rule over one eni-config and put what they find in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhook.eni import document, rules
from webhook.eni.document import Mode
from webhook.findings import Finding, Level, ObjectRef


def lint(
    data: Mapping[str, Any], *, credentials: Mode, ref: ObjectRef | None = None
) -> tuple[Finding, ...]:
    """Return all findings of a ConfigMap's data: errors first, then by rule and place."""
    read = document.read(data, credentials, ref)
    found = [finding for rule in rules.RULES.values() for finding in rule.check(read)]
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[bool, str, int]:
    return (finding.level is not Level.ERROR, finding.rule, finding.location.line or 0)
