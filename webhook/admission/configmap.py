"""The validating hook for eni-config: nothing that Terway would choke on gets in.

A mutating hook never touches it: the API server's audit log would hold the patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webhook.admission import response
from webhook.admission.record import Outcome, Word, outcome
from webhook.admission.review import Hook, Operation, Request
from webhook.eni import lint
from webhook.findings import Finding, Level
from webhook.policy.model import EniPolicy, Policy

_RULE = "eni-config"
_SHOWN = 4


def judge(hook: Hook, request: Request, policy: Policy) -> Outcome | None:
    """Answer a write of eni-config; None for every other object, and for other operations."""
    eni = policy.eni
    named = (request.namespace, request.name) == (eni.namespace, eni.name)
    if hook is not Hook.VALIDATE or not named or request.group or request.kind != "ConfigMap":
        return None
    if request.object is None or request.operation not in (Operation.CREATE, Operation.UPDATE):
        return None
    data, before = _data(request.object), _data(request.old_object)
    if request.old_object is not None and data == before:
        return _allowed(request, [])
    findings = lint.lint(data, credentials=eni.credentials.value, ref=request.ref)
    if _may_stay_blank(request, eni, before):
        findings = tuple(_softened(finding) for finding in findings)
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    others = [str(finding) for finding in findings if finding.level is Level.WARNING]
    if not errors:
        return _allowed(request, others)
    rule = errors[0].rule
    answer = response.denied(_message(errors), others, rule=rule, verdict=Word.DENIED)
    return outcome(hook, request, answer, rule=rule, verdict=Word.DENIED)


def _data(obj: dict[str, Any] | None) -> Mapping[str, Any]:
    data = (obj or {}).get("data")
    return data if isinstance(data, dict) else {}


def _may_stay_blank(request: Request, eni: EniPolicy, before: Mapping[str, Any]) -> bool:
    """Tell whether an installer writes the blank template that a user fills in afterwards."""
    who = (request.username, *request.groups)
    if not any(eni.installers.match(name) for name in who):
        return False
    if request.operation is Operation.CREATE:
        return True
    stored = lint.lint(before, credentials=eni.credentials.value)
    return any(finding.rule == "ENI020" for finding in stored)


def _softened(finding: Finding) -> Finding:
    return replace(finding, level=Level.WARNING) if finding.rule == "ENI020" else finding


def _allowed(request: Request, warnings: list[str]) -> Outcome:
    word = Word.WARNED if warnings else Word.UNCHANGED
    answer = response.allowed(warnings, rule=_RULE, verdict=word)
    return outcome(Hook.VALIDATE, request, answer, rule=_RULE, verdict=word)


def _message(errors: list[Finding]) -> str:
    shown = errors[:_SHOWN]
    lines = [f"{finding}; {finding.fix}" if finding.fix else str(finding) for finding in shown]
    if len(errors) > _SHOWN:
        lines.append(f"and {len(errors) - _SHOWN} more")
    return "\n".join(lines)
