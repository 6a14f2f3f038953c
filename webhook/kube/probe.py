"""Is hybrid-guard in force? Ask the API server for what it must refuse or pin, as dry runs.

The only proof from end to end: the API server found the hooks, reached a server, trusted its
certificate and obeyed the answer. Nothing is written, and no right to create anything is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from webhook import workloads
from webhook.kube.cluster import Answer, Cluster, ClusterError
from webhook.placement.pin import Outcome
from webhook.policy.evaluate import Verdict, evaluate
from webhook.policy.model import Policy
from webhook.policy.words import Action

NAMESPACE, NAME = "kube-system", "hybrid-guard-probe"
_SERVER = f"/api/v1/namespaces/{NAMESPACE}/services/https:hybrid-guard:https/proxy"
READY, VERSION = f"{_SERVER}/readyz", f"{_SERVER}/version"
CONFIG_MAP = f"/api/v1/namespaces/{{}}/configmaps/{NAME}"
DAEMONSET = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{NAME}"
# Agents that the catalogue knows by their image, whatever the name: dry runs of a name that exists
# are refused for that alone.
_IMAGES = ("calico/node", "acs/terway")
_ENI, _PLACEMENT = (re.compile(rf"\b{prefix}\d\d\b.*") for prefix in ("ENI0", "HG1"))
_INJECTED = re.compile(r"\bHG10[12] kept off ")
_FORBIDDEN, _MAY_NOT_CREATE = " is forbidden: User ", " cannot create resource "
_TAKEN = (HTTPStatus.OK, HTTPStatus.CREATED)
_LOOK = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations hybrid-guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried. `rule` names what is wrong, and is None where nothing is."""

    name: str
    message: str
    rule: str | None = None
    fix: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it came out as it must."""
        return self.rule is None


def checks(cluster: Cluster, policy: Policy) -> tuple[Check, ...]:
    """Try everything. Raises ClusterError where something cannot be tried at all."""
    tried = (_ready(cluster), _eni_config(cluster, policy), _add_on(cluster, policy))
    return (*tried, *_certificate(cluster))


def _ready(cluster: Cluster) -> Check:
    answer = cluster.ask("GET", READY)
    _may(answer, "get services/proxy")
    if answer.status == HTTPStatus.OK:
        return Check(name="ready", message="a server behind the Service is ready")
    said = answer.body.get("reason") if answer.body.get("status") == "not ready" else answer.message
    return Check(
        name="ready",
        rule="HG301",
        message=f"no server behind the Service is ready: {said}",
        fix=f"kubectl -n {NAMESPACE} get pods -l app.kubernetes.io/name=hybrid-guard",
    )


def _eni_config(cluster: Cluster, policy: Policy) -> Check:
    """Try an override of eni-config that is no JSON."""
    namespace = policy.eni.namespace
    broken = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": namespace},
        "data": {"eni_conf": "{"},
    }
    answer = cluster.try_apply(CONFIG_MAP.format(namespace), broken)
    _may(answer, f"apply ConfigMap {namespace}/{NAME}")
    told = _ENI.search(answer.message)
    if answer.status == HTTPStatus.FORBIDDEN and told:
        return Check(name="eni-config", message=f"a broken one is refused: {told[0]}")
    if answer.status in _TAKEN:
        message, fix = "a broken eni-config gets in: no hook asks hybrid-guard", _LOOK
    else:
        message = f"the API server refuses it without asking hybrid-guard: {answer.message}"
        fix = f"kubectl -n {NAMESPACE} logs deployment/hybrid-guard"
    return Check(name="eni-config", rule="HG302", message=message, fix=fix)


def _add_on(cluster: Cluster, policy: Policy) -> Check:
    """Try a DaemonSet with the image of an add-on that policy places, and no affinity."""
    found = (_verdict(_daemonset(image), policy) for image in _IMAGES)
    wanted = next((verdict for verdict in found if verdict.pin is not None), None)
    if wanted is None:
        return Check(name="add-on", message="not tried: policy asks nothing of CNI add-ons")
    answer = cluster.try_apply(DAEMONSET, wanted.workload.object)
    if not _is_late(answer):
        _may(answer, f"apply DaemonSet {NAMESPACE}/{NAME}")
    told = _PLACEMENT.search("\n".join((*answer.warnings, answer.message)))
    if told and _obeyed(answer, wanted, policy):
        return Check(name="add-on", message=told[0])
    if told:
        message = f"hybrid-guard is asked, but an add-on is not handled as policy says: {told[0]}"
        fix = f"{_LOOK} (is a hook missing?), and give --policy F as the server has it"
    elif answer.status in _TAKEN or _is_late(answer):
        message = f"an add-on gets in as it is ({wanted.decision.why}): nothing asked hybrid-guard"
        fix = f"{_LOOK}; kubectl -n {NAMESPACE} logs deployment/hybrid-guard"
    else:
        message = f"the API server refuses a DaemonSet: {answer.message}"
        fix = f"let whatever refuses it spare {NAMESPACE}/{NAME}"
    return Check(name="add-on", rule="HG303", message=message, fix=fix)


def _certificate(cluster: Cluster) -> tuple[Check, ...]:
    """Tell whether the API server brings a certificate to the hooks, where it is asked for one."""
    asked = cluster.ask("GET", VERSION).body.get("clientCertificate")
    if not isinstance(asked, dict):
        return ()
    if asked.get("seen"):
        message = "the API server brings one: server.clientCA.mode may be required"
    else:
        message = "the API server has brought none so far: leave server.clientCA.mode optional"
    return (Check(name="client certificate", message=message),)


def _obeyed(answer: Answer, wanted: Verdict, policy: Policy) -> bool:
    """Tell whether the API server did what the policy's action says."""
    if _is_late(answer):
        is_pinned = any(map(_INJECTED.search, answer.warnings))
    elif wanted.decision.action is Action.DENY:
        return answer.status == HTTPStatus.FORBIDDEN
    elif answer.status not in _TAKEN:
        return False
    else:
        pin = _verdict(answer.body, policy).pin
        is_pinned = pin is not None and pin.outcome is Outcome.UNCHANGED
    return is_pinned == (wanted.decision.action is Action.INJECT)


def _is_late(answer: Answer) -> bool:
    """Tell whether the mutating hooks have had their say, and only then a right was missing.

    What they say comes as warnings; a patch of theirs that does not apply is another refusal.
    """
    return (
        answer.status == HTTPStatus.FORBIDDEN
        and _MAY_NOT_CREATE in answer.message.partition(_FORBIDDEN)[2]
    )


def _verdict(obj: dict[str, Any], policy: Policy) -> Verdict:
    workload = workloads.read(obj, policy.kinds, namespace=NAMESPACE)
    if workload is None:
        raise ClusterError("what answers is no API server")
    return evaluate(workload, policy)


def _daemonset(image: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": NAME}
    container = {"name": "probe", "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _may(answer: Answer, what: str) -> None:
    """Raise where the caller lacks a right, which says nothing about hybrid-guard."""
    if answer.status == HTTPStatus.UNAUTHORIZED or (
        answer.status == HTTPStatus.FORBIDDEN and " is forbidden: User " in answer.message
    ):
        raise ClusterError(f"may not {what}, which a dry run needs too", answer.status)
