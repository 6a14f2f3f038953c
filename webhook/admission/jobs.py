"""Jobs: when their template may still change, and who lets a suspended one go.

Kueue and JobSet hold Jobs suspended, write the nodes of a flavour into the template, and resume
them. The API server admits that until a Job has started (k8s.io/kubernetes
pkg/registry/batch/job/strategy.go, validationOptionsForJob; since 1.36 also for one that is
suspended again, if no pod of it is left). Where the template may not change, a patch of ours would
turn somebody's harmless write into a 422.
"""

from __future__ import annotations

from typing import Any

from webhook.admission.review import Operation, Request
from webhook.workloads import mapping_of

_SYSTEM = "system:"
# The administrator of k3s and OpenShift is a person, by a certificate of this name.
_PEOPLE = frozenset({"system:admin"})


def may_change(job: dict[str, Any]) -> bool:
    """Tell whether every API server lets a stored Job's nodes change: it never started.

    The API server writes a status always; one that is null was not read, and says nothing.
    """
    status = job.get("status", {})
    return is_suspended(job) and isinstance(status, dict) and status.get("startTime") is None


def is_suspended(job: dict[str, Any]) -> bool:
    """Tell whether a Job waits to be resumed."""
    return mapping_of(job.get("spec")).get("suspend") is True


def is_resumed_by_a_controller(request: Request) -> bool:
    """Tell whether an account that is no person lets a suspended Job go.

    What it adds meanwhile is its queue's decision, not the user's: a refusal would be tried again
    for ever. Who may edit a namespace may be any of its own accounts, so those count as persons.
    """
    old, new = request.old_object, request.object
    return (
        (request.group, request.kind, request.operation) == ("batch", "Job", Operation.UPDATE)
        and old is not None
        and new is not None
        and is_suspended(old)
        and not is_suspended(new)
        and request.username.startswith(_SYSTEM)
        and request.username not in _PEOPLE
        and not request.username.startswith(f"{_SYSTEM}serviceaccount:{request.namespace}:")
    )
