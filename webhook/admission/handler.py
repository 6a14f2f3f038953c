"""One request in, one answer out: who judges it, and what is answered when nobody does."""

from __future__ import annotations

from webhook.admission import configmap, response, workload
from webhook.admission.record import Outcome, Word, outcome
from webhook.admission.review import Hook, Operation, Request
from webhook.policy.model import Policy
from webhook.policy.words import Placement

_JUDGED = (Operation.CREATE, Operation.UPDATE)


def handle(
    hook: Hook, request: Request, policy: Policy, *, namespace_placement: Placement | None = None
) -> Outcome:
    """Answer a request. Raises PatchError when our own patch is broken, and nothing else."""
    judged = configmap.judge(hook, request, policy)
    if judged is None and request.operation in _JUDGED:
        judged = workload.judge(hook, request, policy, namespace_placement=namespace_placement)
    if judged is not None:
        return judged
    return outcome(hook, request, response.allowed(), rule="default", verdict=Word.LEFT_ALONE)


def default_hook(request: Request) -> Hook:
    """Return the hook a request is meant for, where the caller does not say."""
    is_config_map = not request.group and request.kind == "ConfigMap"
    validates = is_config_map or request.operation is Operation.DELETE
    return Hook.VALIDATE if validates else Hook.MUTATE
