"""The validating hook for eni-config: nothing that Terway would choke on gets in.

A mutating hook never touches it: the API server's audit log would hold the patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webhook.admission import response, skim
from webhook.admission.record import Outcome, Word, outcome
from webhook.admission.review import Hook, Operation, Request
from webhook.eni import document, lint
from webhook.eni.document import EniDocument
from webhook.eni.fields import ENI_CONF
from webhook.findings import Finding, Level
from webhook.policy.evaluate import BEYOND
from webhook.policy.model import EniPolicy, Policy

_RULE = "eni-config"
_SHOWN = 4
_SAYS_ITS_LINE = frozenset({"ENI003", "ENI006"})
# Whoever empties a namespace may delete what is in it (admission would hang the deletion).
_NAMESPACE_DELETERS = frozenset(
    {
        "system:kube-controller-manager",
        "system:serviceaccount:kube-system:namespace-controller",
    }
)


def judge(hook: Hook, request: Request, policy: Policy) -> Outcome | None:
    """Answer a write of eni-config or of an override; None for every other object."""
    eni = policy.eni
    is_config_map = not request.group and request.kind == "ConfigMap"
    if hook is not Hook.VALIDATE or not is_config_map or request.namespace != eni.namespace:
        return None
    if request.operation is Operation.DELETE:
        return _deletion(request, eni)
    if request.object is None or request.operation not in (Operation.CREATE, Operation.UPDATE):
        return None
    if not is_judged(request.object, request.name, eni):
        return None
    if request.beyond is not None and skim.is_sealed([request.object, request.old_object]):
        message = f"{request.name} cannot be judged: {request.beyond}"
        return _answer(request, (Finding(rule=BEYOND, level=Level.ERROR, message=message),))
    return _write(request, request.object, eni)


def is_judged(config_map: Mapping[str, Any], name: str, eni: EniPolicy) -> bool:
    """Tell whether a ConfigMap of the namespace is eni-config, or a node-level override of it."""
    data = config_map.get("data")
    return name == eni.name or (isinstance(data, dict) and ENI_CONF in data)


def _deletion(request: Request, eni: EniPolicy) -> Outcome | None:
    """Answer a deletion; of a whole collection the name stands in the object alone."""
    stored = request.old_object or {}
    metadata = stored.get("metadata")
    name = request.name or (metadata.get("name") if isinstance(metadata, dict) else None)
    if name != eni.name or request.username in _NAMESPACE_DELETERS:
        return None
    ref = replace(request.ref, name=eni.name)
    named = {"metadata": metadata}  # all that counts: a broken one may be deleted, too
    read = document.read(named, eni.credentials.value, ref=ref, deleting=True)
    return _answer(request, lint.lint(read))


def _write(request: Request, config_map: Mapping[str, Any], eni: EniPolicy) -> Outcome:
    stored = request.old_object
    if stored is not None and _texts(stored) == _texts(config_map):
        bare = {"immutable": config_map.get("immutable")}
        return _answer(request, lint.lint_unchanged(_read(request, bare, eni)))
    before = None if stored is None else _read(request, stored, eni)
    read = _read(request, config_map, eni, before)
    findings = lint.lint(read)
    if _may_stay_blank(request, eni, before):
        findings = tuple(_softened(finding) for finding in findings)
    return _answer(request, findings)


def _texts(config_map: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what Terway can see of a ConfigMap; nothing and an empty mapping are the same."""
    return config_map.get("data") or None, config_map.get("binaryData") or None


def _read(
    request: Request,
    config_map: Mapping[str, Any],
    eni: EniPolicy,
    before: EniDocument | None = None,
) -> EniDocument:
    return document.read(
        config_map,
        eni.credentials.value,
        ref=request.ref,
        partial=request.name != eni.name,
        before=before,
    )


def _may_stay_blank(request: Request, eni: EniPolicy, before: EniDocument | None) -> bool:
    """Tell whether an installer writes the blank template that a user fills in afterwards."""
    who = (request.username, *request.groups)
    if not any(eni.installers.match(name) for name in who):
        return False
    return before is None or lint.breaks(before, "ENI020")


def _softened(finding: Finding) -> Finding:
    return replace(finding, level=Level.WARNING) if finding.rule == "ENI020" else finding


def _answer(request: Request, findings: tuple[Finding, ...]) -> Outcome:
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    told = (str(finding) for finding in findings if finding.level is Level.WARNING)
    warnings = list(dict.fromkeys(told))
    if errors:
        rule, word = errors[0].rule, Word.DENIED
        answer = response.denied(_message(errors), warnings, rule=rule, verdict=word)
    else:
        rule, word = _RULE, Word.WARNED if warnings else Word.UNCHANGED
        answer = response.allowed(warnings, rule=rule, verdict=word)
    return outcome(Hook.VALIDATE, request, answer, rule=rule, verdict=word)


def _message(errors: list[Finding]) -> str:
    lines = [_line(finding) for finding in _each_rule_first(errors)[:_SHOWN]]
    if len(errors) > _SHOWN:
        lines.append(f"and {len(errors) - _SHOWN} more")
    return "\n".join(lines)


def _each_rule_first(errors: list[Finding]) -> list[Finding]:
    """Put the first finding of every rule before the second of any."""
    counts: dict[str, int] = {}
    ranked = []
    for finding in errors:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
        ranked.append((counts[finding.rule], finding))
    return [finding for _, finding in sorted(ranked, key=lambda pair: pair[0])]


def _line(finding: Finding) -> str:
    """Return one line: rule, path, fault, what to write, and the line inside the document."""
    text = f"{finding}; {finding.fix}" if finding.fix else str(finding)
    line = finding.location.line
    return f"{text} (line {line})" if line and finding.rule not in _SAYS_ITS_LINE else text
