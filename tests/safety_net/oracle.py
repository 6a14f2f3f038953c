"""kube-apiserver's own answers to updates under a policy's safety net, from a small Go program."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.goprogram import built
from webhook.policy import safety_net
from webhook.policy.document import PolicyDocument

SOURCE = Path(__file__).resolve().parent / "oracle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update of a DaemonSet, in a namespace with these labels."""

    old: dict[str, Any]
    new: dict[str, Any]
    namespace: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered, and what the variables hold and cost (`oracle/main.go` says how)."""

    verdict: str
    message: str
    values: dict[str, Any]
    cost: dict[str, int]


def document(**parts: Any) -> PolicyDocument:
    """Return a policy for network bgp, with these parts."""
    head = {"apiVersion": "hybrid-guard.io/v1alpha1", "kind": "Policy", "network": "bgp"}
    return PolicyDocument.model_validate({**head, **parts})


def ask(policy: PolicyDocument, updates: Sequence[Update], *, each: bool = False) -> list[Answer]:
    """Return the answer to each update; with `each`, what each variable holds and costs too."""
    made = safety_net.expressions(safety_net.of_policy(policy))
    spec = {
        "matchConditions": [_named(condition) for condition in made.conditions],
        "variables": [_named(variable) for variable in made.variables],
        "validations": [{"expression": made.validation, "messageExpression": made.message}],
    }
    lines: list[dict[str, Any]] = [{"spec": spec}]
    lines += [{"old": u.old, "new": u.new, "namespace": u.namespace, "each": each} for u in updates]
    done = subprocess.run(
        [built(SOURCE)], input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(updates)
    return [Answer(**{"message": "", **answer}) for answer in answers]


def _named(condition: safety_net.Condition) -> dict[str, str]:
    return {"name": condition.name, "expression": condition.expression}


def daemonset(
    spec: dict[str, Any], name: str = "calico-node", namespace: str = "kube-system",
    images: Sequence[str] = ("i",), labels: dict[str, str] | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return a DaemonSet."""
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}, **more}
    template = {"metadata": {"labels": {"app": name}}, "spec": {**spec, "containers": containers}}
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata,
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }  # fmt: skip
