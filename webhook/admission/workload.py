"""The two hooks for workloads: one injects what is missing, the other judges the final object."""

from __future__ import annotations

from webhook import patch
from webhook.admission import change, jobs, response, rollout, scope
from webhook.admission.record import Outcome, Word, outcome
from webhook.admission.review import Hook, Operation, Request
from webhook.findings import Finding, Level
from webhook.placement.model import Side
from webhook.policy.decide import Decision, Source, decide
from webhook.policy.evaluate import BEYOND, BOUND, Verdict, evaluate, unreadable
from webhook.policy.model import Policy
from webhook.policy.words import Action, Conflicts, Enforcement, OnUpdate, Placement
from webhook.workloads import ShapeError, Workload, mapping_at

_WRONG_SIDE = frozenset({"HG101", "HG102"})
_KEPT_OFF = {
    Side.ON_PREM: ("HG101", "kept off cloud nodes"),
    Side.CLOUD: ("HG102", "kept off on-prem nodes"),
}


def judge(
    hook: Hook, request: Request, policy: Policy, *, namespace_placement: Placement | None
) -> Outcome | None:
    """Answer a CREATE or UPDATE of a workload; None for what is none, or is not judged."""
    if request.object is None:
        return None
    try:
        workload = scope.read(request.object, request, policy)
    except ShapeError as error:
        workload = scope.sketch(request.object, request, policy)
        return _unreadable(hook, request, policy, workload, error, namespace_placement)
    if workload is None or not scope.is_judged(request, workload, policy):
        return None
    old = change.stored(request, policy)
    verdict = evaluate(workload, policy, namespace_placement=namespace_placement)
    return _Judgement(hook, request, policy, namespace_placement, verdict, old).outcome()


class _Judgement:
    """One workload under one policy, on its way to an answer."""

    def __init__(
        self,
        hook: Hook,
        request: Request,
        policy: Policy,
        namespace_placement: Placement | None,
        verdict: Verdict,
        old: Workload | None,
    ) -> None:
        self._hook = hook
        self._request = request
        self._policy = policy
        self._namespace_placement = namespace_placement
        self._verdict = verdict
        self._old = old
        self._injects = hook is Hook.MUTATE and bool(verdict.ops) and self._is_mutated()

    def outcome(self) -> Outcome:
        """Deny, patch or allow."""
        findings = [f for f in self._verdict.findings if not self._is_mended(f)]
        denying = [f for f in findings if self._denies(f)]
        findings += self._dropped()
        warnings = [str(f) for f in findings if f not in denying and f.level is not Level.NOTE]
        if denying:
            word = Word.DENIED
            answer = response.denied(_message(denying), warnings, **self._told(word, findings))
        elif self._injects:
            word = Word.INJECTED
            warnings = [*self._injected(), *warnings]
            verdict = self._verdict
            proven = patch.prove(verdict.workload.object, verdict.ops, verdict.patched)
            answer = response.patched(proven, warnings, **self._told(word, findings))
        else:
            word = Word.WARNED if warnings else self._quiet()
            answer = response.allowed(warnings, **self._told(word, findings))
        rule = self._verdict.decision.rule
        return outcome(self._hook, self._request, answer, rule=rule, verdict=word)

    def _told(self, word: Word, findings: list[Finding]) -> dict[str, str]:
        """Return the audit annotations; a note such as HG105 is told nowhere else."""
        told = {"rule": self._verdict.decision.rule, "verdict": word.value}
        if findings:
            told["findings"] = ",".join(dict.fromkeys(finding.rule for finding in findings))
        return told

    def _is_mutated(self) -> bool:
        """Tell whether this write is one that is injected."""
        if not scope.may_inject(self._request, self._verdict.workload, self._policy):
            return False
        if self._request.operation is not Operation.UPDATE:
            return True
        if scope.by_system_controller(self._request):
            return False
        if self._policy.on_update is OnUpdate.ALWAYS or self._old is None:
            return True
        return change.is_relevant(self._old, self._verdict.workload, self._policy)

    def _is_mended(self, finding: Finding) -> bool:
        """Tell whether our patch does away with a finding: it says so in words of its own."""
        return self._injects and finding.rule in _WRONG_SIDE

    def _denies(self, finding: Finding) -> bool:
        is_error = finding.level is Level.ERROR or finding.rule == BOUND
        if not is_error or not self._wants_denial(finding):
            return False
        return change.may_deny(
            finding,
            self._old,
            self._verdict.workload,
            self._policy,
            namespace_placement=self._namespace_placement,
        )

    def _wants_denial(self, finding: Finding) -> bool:
        decision = self._verdict.decision
        if finding.rule == BEYOND:
            # The mutating hook lets it pass: the other one has the last word.
            return (
                self._hook is Hook.VALIDATE
                and decision.action is not Action.WARN
                and decision.enforcement is Enforcement.REQUIRED
                and not scope.by_system_controller(self._request)
            )
        if jobs.is_resumed_by_a_controller(self._request) and not _is_told_to_deny(decision):
            return False
        if finding.rule == BOUND:
            return self._hook is Hook.VALIDATE and _is_told_to_deny(decision)
        if finding.rule == "HG103":
            return decision.conflicts is Conflicts.DENY
        if finding.rule in _WRONG_SIDE:
            # What injects has had its chance in the mutating hook: the final object is judged.
            validates = self._hook is Hook.VALIDATE and decision.action is Action.INJECT
            return validates or decision.action is Action.DENY
        return True

    def _dropped(self) -> list[Finding]:
        if self._old is None or scope.by_system_controller(self._request):
            return []
        verdict = self._verdict
        final = verdict.patched if self._injects else verdict.workload.object
        return change.dropped_terms(self._old, verdict.workload, final)

    def _quiet(self) -> Word:
        """Say why nothing was done: policy asks for nothing, or the object is right."""
        asked = self._verdict.decision.placement is not Placement.ANY
        return Word.UNCHANGED if asked else Word.LEFT_ALONE

    def _injected(self) -> list[str]:
        """Say what was injected and why, and what it does to pods that run."""
        verdict = self._verdict
        decision, workload = verdict.decision, verdict.workload
        side = decision.placement.side
        if side is None:
            return []
        rule, done = _KEPT_OFF[side]
        if decision.enforcement is Enforcement.PREFERRED:
            rule, done = "HG105", f"prefers {side} nodes now"
        lines = [f"{rule} {done}: added {self._policy.cloud_nodes.text[side]} ({decision.why})"]
        final = mapping_at(verdict.patched, workload.kind.template)
        if self._old is not None and final != self._old.template:
            lines.append(f"{rule} {rollout.sentence(self._old, workload)}")
        spec = workload.object.get("spec")
        if workload.kind.kind == "StatefulSet" and (spec or {}).get("volumeClaimTemplates"):
            lines.append(
                "HG106 its volumes may bind its pods to the other side: check where they are"
            )
        return lines


def _is_told_to_deny(decision: Decision) -> bool:
    """Tell whether a rule of the user's own says deny."""
    return decision.source is Source.RULE and decision.action is Action.DENY


def _message(denying: list[Finding]) -> str:
    """Return a denial's text: what and why, then what to write."""
    lines = []
    for finding in denying[:3]:
        lines.append(str(finding))
        if finding.fix:
            lines.append(f"  fix: {finding.fix}")
    return "\n".join(lines)


def _unreadable(
    hook: Hook,
    request: Request,
    policy: Policy,
    workload: Workload | None,
    error: ShapeError,
    namespace_placement: Placement | None,
) -> Outcome | None:
    """Deny a shape Kubernetes would not decode where policy asks something of the workload.

    Where the stored object was unreadable already, the write is only warned about.
    """
    if workload is None or not scope.is_judged(request, workload, policy):
        return None
    decision = decide(workload, policy, namespace_placement=namespace_placement)
    if decision.placement is Placement.ANY:
        return None
    finding = unreadable(request.ref, error)
    rule = finding.rule
    if request.operation is Operation.UPDATE and change.stored(request, policy) is None:
        answer = response.allowed([str(finding)], rule=rule, verdict=Word.WARNED)
        return outcome(hook, request, answer, rule=rule, verdict=Word.WARNED)
    answer = response.denied(_message([finding]), rule=rule, verdict=Word.DENIED)
    return outcome(hook, request, answer, rule=rule, verdict=Word.DENIED)
