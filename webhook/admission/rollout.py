"""What a changed pod template does to pods that run, as one sentence."""

from __future__ import annotations

from typing import Any

from webhook.admission.response import WARNING_MAX
from webhook.workloads import Workload, mapping_of

_RUNS_LATER = {
    "CronJob": "jobs of {name} have it from the next run on",
    "Job": "pods of {name} have it once it starts",
    "ReplicaSet": "only new pods of {name} have it",
    "ReplicationController": "only new pods of {name} have it",
}
_DEFAULTED = frozenset({"Deployment", "StatefulSet"})
_LONGEST = WARNING_MAX - len("HG101 ")  # the sentence is a warning behind a rule's id


def sentence(old: Workload, new: Workload) -> str:
    """Say how many pods restart, and by which strategy. `old`, as stored, has the status."""
    text = f"changes the pod template: {_effect(old, new)}"
    room = _LONGEST - len(text) + len("{name}")
    name = new.ref.name
    return text.replace("{name}", name if len(name) <= room else f"{name[: room - 1]}…")


def _effect(old: Workload, new: Workload) -> str:
    kind = new.kind.kind
    if kind in _RUNS_LATER:
        return _RUNS_LATER[kind]
    spec = mapping_of(new.object.get("spec"))
    what = _what(old, spec)
    strategy = mapping_of(spec.get("strategy" if kind == "Deployment" else "updateStrategy"))
    named = strategy.get("type")
    if not isinstance(named, str):
        return f"restarts {what}"
    if named == "OnDelete":
        # The DaemonSet controller takes pods off nodes that do not match before it asks for the
        # strategy (daemon_controller.go, manage).
        gone = "; wrong-side pods go now" if kind == "DaemonSet" else ""
        return f"OnDelete, restarts {what} when deleted{gone}"
    unavailable = mapping_of(strategy.get("rollingUpdate")).get("maxUnavailable")
    pace = "" if unavailable is None else f", maxUnavailable {unavailable}"
    return f"restarts {what}, {named}{pace}"


def _what(old: Workload, spec: dict[str, Any]) -> str:
    """Say what runs: a DaemonSet's status counts its nodes, a PUT may come without it."""
    if old.kind.kind == "DaemonSet":
        status = mapping_of(old.object.get("status"))
        count = status.get("desiredNumberScheduled", status.get("currentNumberScheduled"))
        return f"{{name}} on {_counted(count, 'node') or 'its nodes'}"
    count = spec.get("replicas", 1 if old.kind.kind in _DEFAULTED else None)
    return f"{_counted(count, 'pod') or 'the pods'} of {{name}}"


def _counted(count: Any, noun: str) -> str:
    if type(count) is not int:
        return ""
    return f"{count} {noun}{'' if count == 1 else 's'}"
