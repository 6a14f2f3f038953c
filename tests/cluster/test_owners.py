"""References to owners that are none, by a user who may edit one namespace: hooks and audits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import landing
from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.test_audit import live, told
from tests.cluster.test_explain import explain
from tests.serving import Server
from webhook.kube.cluster import Cluster
from webhook.kube.owners import Owners
from webhook.workloads import BUILTIN

GUARDED, AUDITED = "owned-guarded", "owned-audited"
EDITOR = "editor-of-owned"
DEPLOYER = "system:serviceaccount:kube-system:deployment-controller"
PINNED = {"key": "alibabacloud.com/external", "operator": "NotIn", "values": ["true"]}
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {namespaces: [NAMESPACE]}, placement: on-prem}
"""
LABELS = {"app": "web"}
RESOURCES = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicationController": "/api/v1/namespaces/{}/replicationcontrollers",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}


@pytest.fixture(scope="module")
def bare(api_server: ControlPlane) -> ControlPlane:
    """Namespaces that one user may edit. No controller removes there what claims too much."""
    for namespace in (GUARDED, AUDITED):
        made = {"kind": "Namespace", "metadata": {"name": namespace}}
        landing.ensure(api_server, "/api/v1/namespaces", made)
        account = {"kind": "ServiceAccount", "metadata": {"name": "default"}}
        landing.ensure(api_server, f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        for role in ("edit", "view"):  # what a controller makes `edit` of
            api_server.kubectl(
                "create", "rolebinding", role, "-n", namespace, f"--user={EDITOR}",
                f"--clusterrole=system:aggregate-to-{role}",
            )  # fmt: skip
    return api_server


@pytest.fixture(scope="module")
def guarded(bare: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    policy.write_text(POLICY.replace("NAMESPACE", GUARDED))
    with Server("--policy", str(policy)) as server:
        bare.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        yield bare
        bare.unregister_guard()


def owner(kind: str, uid: str = "0-0", name: str = "web", **fields: Any) -> dict[str, Any]:
    api_version = {
        "Rollout": "argoproj.io/v1alpha1", "DeploymentConfig": "apps.openshift.io/v1",
        "CronJob": "batch/v1", "Job": "batch/v1", "ReplicationController": "v1",
        "Thing": "example.com/v1",
    }.get(kind, "apps/v1")  # fmt: skip
    named = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return {**named, "controller": True, **fields}


def an(kind: str, name: str, *owners: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "c", "image": "x"}], "restartPolicy": "Always"}
    if kind in ("Job", "CronJob"):
        pod["restartPolicy"] = "Never"
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    spec: dict[str, Any] = {"selector": {"matchLabels": LABELS}, "template": template}
    if kind == "ReplicationController":
        spec["selector"] = LABELS
    if kind == "Job":
        del spec["selector"]
    if kind == "CronJob":
        spec = {"schedule": "@yearly", "jobTemplate": {"spec": {"template": template}}}
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    core = kind in ("Pod", "ReplicationController")
    return {
        "apiVersion": "v1" if core else "batch/v1" if "Job" in kind else "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": LABELS, "ownerReferences": list(owners), **metadata},
        "spec": pod if kind == "Pod" else spec,
    }


def path_of(kind: str, namespace: str) -> str:
    usual = "/apis/apps/v1/namespaces/{}/" + kind.lower() + "s"
    return RESOURCES.get(kind, usual).format(namespace)


def write(
    plane: ControlPlane,
    obj: dict[str, Any],
    namespace: str = GUARDED,
    *,
    user: str | None = EDITOR,
    method: str = "POST",
) -> Answer:
    path = path_of(obj["kind"], namespace)
    if method == "PUT":
        path += f"/{obj['metadata']['name']}"
    groups = ["system:masters"] if user == DEPLOYER else []
    return plane.raw(method, path, json.dumps(obj).encode(), user=user, groups=groups)


def terms_of(answer: Answer) -> Any:
    affinity = answer.json()["spec"]["template"]["spec"].get("affinity", {})
    found = affinity.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return (found or {}).get("nodeSelectorTerms")


def clean(plane: ControlPlane) -> None:
    for kind in ("ReplicaSet", "ReplicationController"):
        query = "?gracePeriodSeconds=0&propagationPolicy=Background"
        assert plane.raw("DELETE", path_of(kind, GUARDED) + query).status == 200


@pytest.fixture
def emptied(bare: ControlPlane) -> Iterator[ControlPlane]:
    yield bare
    clean(bare)


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
@pytest.mark.parametrize("by", ["Deployment", "Thing", "DaemonSet"])
def test_an_editor_hides_nothing_behind_an_owner_of_his_own_words(
    guarded: ControlPlane, kind: str, by: str
) -> None:
    created = write(guarded, an(kind, "forged", owner(by)))

    if (kind, by) == ("ReplicaSet", "Deployment"):
        assert (created.status, terms_of(created)) == (201, [{"matchExpressions": [PINNED]}])
        stored = created.json()
        stored["spec"]["template"]["spec"].pop("affinity")
        unpinned = write(guarded, stored, method="PUT")
        assert (unpinned.status, "HG101" in unpinned.body.decode()) == (403, True)
    else:
        assert (created.status, "HG101" in created.body.decode()) == (403, True)


@pytest.mark.usefixtures("emptied")
def test_what_a_deployment_makes_is_never_changed_by_anybodys_update(guarded: ControlPlane) -> None:
    made = write(guarded, an("ReplicaSet", "web-1", owner("Deployment")), user=DEPLOYER)
    assert (made.status, terms_of(made), made.warnings) == (201, None, ())

    told = guarded.kubectl("annotate", "rs", "web-1", "-n", GUARDED, "a=b", user=EDITOR)
    guarded.kubectl("scale", "rs", "web-1", "-n", GUARDED, "--replicas=2", user=EDITOR)
    stored = guarded.raw("GET", path_of("ReplicaSet", GUARDED) + "/web-1")
    orphaned = stored.json()
    orphaned["metadata"]["ownerReferences"] = []
    released = write(guarded, orphaned, user=DEPLOYER, method="PUT")
    adopted = write(guarded, {**released.json(), "metadata": {**released.json()["metadata"], "ownerReferences": [owner("Deployment")]}}, user=DEPLOYER, method="PUT")  # fmt: skip

    assert "HG101 can land on cloud nodes" in told.stderr
    assert [terms_of(answer) for answer in (stored, released, adopted)] == [None] * 3
    assert (released.status, adopted.status) == (200, 200)


def forged(document: dict[str, Any]) -> dict[str, str]:
    found = [one for one in document["findings"] if one["rule"] == "HG207"]
    return {f"{one['object']['kind']}/{one['object']['name']}": one["message"] for one in found}


def judged(document: dict[str, Any]) -> set[str]:
    rows, _ = told(document, AUDITED)
    return {f"{row['object']['kind']}/{row['object']['name']}" for row in rows}


def test_a_live_audit_tells_owners_that_are_none_and_judges_what_hides_behind_them(
    bare: ControlPlane, tmp_path: Path
) -> None:
    plane, policy = bare, tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("NAMESPACE", AUDITED))

    def put(obj: dict[str, Any], user: str | None = None) -> str:
        answer = write(plane, obj, AUDITED, user=user)
        assert answer.status == 201, answer.body
        uid: str = answer.json()["metadata"]["uid"]
        return uid

    deployment = put(an("Deployment", "web"))
    daemons = put(an("DaemonSet", "web"))
    replicas = put(an("ReplicaSet", "web-1", owner("Deployment", deployment)))
    cron = put(an("CronJob", "web"))
    batch = put(an("Job", "web-2", owner("CronJob", cron)))
    controller = put(an("ReplicationController", "web"))
    batch_labels = {"batch.kubernetes.io/controller-uid": batch}
    other = {"labels": {"app": "miner"}}
    genuine = [
        an("Pod", "of-rs", owner("ReplicaSet", replicas, "web-1")),
        an("Pod", "of-rc", owner("ReplicationController", controller)),
        an("Pod", "of-ds", owner("DaemonSet", daemons)),
        an("Pod", "of-job", owner("Job", batch, "web-2"), labels=batch_labels),
        {**an("Pod", "bound-of-ds", owner("DaemonSet", daemons)), "spec": {**an("Pod", "x")["spec"], "nodeName": "n"}},
        an("ReplicaSet", "web-0", owner("Deployment", deployment), labels={**LABELS, "pod-template-hash": "1"}),
    ]  # fmt: skip
    lies = {
        "Pod/no-ds": an("Pod", "no-ds", owner("DaemonSet", name="nothing")),
        "Pod/old-ds": an("Pod", "old-ds", owner("DaemonSet", "1-1")),
        "Pod/other-ds": an("Pod", "other-ds", owner("DaemonSet", daemons), **other),
        "Pod/bound": {**an("Pod", "bound", owner("DaemonSet", daemons), **other), "spec": {**an("Pod", "x")["spec"], "nodeName": "n"}},
        "Pod/other-kind": an("Pod", "other-kind", owner("StatefulSet", daemons)),
        "Pod/other-rs": an("Pod", "other-rs", owner("ReplicaSet", replicas, "web-1"), **other),
        "Pod/other-job": an("Pod", "other-job", owner("Job", batch, "web-2")),
        "ReplicaSet/no-rollout": an("ReplicaSet", "no-rollout", owner("Rollout")),
        "ReplicaSet/other": an("ReplicaSet", "other", owner("Deployment", deployment), **other),
        "ReplicaSet/no-name": an("ReplicaSet", "no-name", owner("Deployment", deployment, "nothing")),
        "ReplicationController/no-dc": an("ReplicationController", "no-dc", owner("DeploymentConfig")),
        "Job/no-cron": an("Job", "no-cron", owner("CronJob", name="nothing")),
    }  # fmt: skip
    for obj in (*genuine, *lies.values()):
        put(obj, EDITOR)
    nobody = {
        "Deployment/owned", "DaemonSet/owned", "Job/owned", "ReplicaSet/owned",
    }  # fmt: skip
    for one in nobody:
        put(an(one.partition("/")[0], "owned", owner("StatefulSet")), EDITOR)

    document, done = live(policy, plane.kubeconfig)
    narrow, denied = live(policy, reader(plane).kubeconfig)

    assert (done.returncode, done.stderr) == (1, "")
    assert set(forged(document)) == set(lies)
    said = forged(document)
    assert "DaemonSet/nothing as its controller, which is not there" in said["Pod/no-ds"]
    assert "DaemonSet/web as its controller, which has another uid" in said["Pod/old-ds"]
    assert "which does not select its labels" in said["Pod/bound"]
    owners = {"Deployment/web", "DaemonSet/web", "CronJob/web", "ReplicationController/web"}
    assert judged(document) == owners | nobody | set(lies) - {"Pod/bound"}
    wrong = [one for one in told(document, AUDITED)[1] if one["rule"] == "HG101"]
    assert len(wrong) == len(judged(document))
    assert (forged(narrow), judged(narrow)) == ({}, {"ReplicaSet/owned"}), (
        "what is not seen is trusted"
    )
    for resource in ("pods", "deployments", "rollouts.argoproj.io"):
        assert f"note: {resource} were not looked at: the API server refuses: 403" in denied.stderr

    told_of = {
        name: explain(plane.kubeconfig, name, "--policy", policy)
        for name in (f"ReplicaSet/{AUDITED}/other", f"ReplicaSet/{AUDITED}/web-1")
    }
    (code, lie, _), (fine, truth, _) = told_of.values()
    assert (code, [one["rule"] for one in lie["findings"]]) == (1, ["HG207", "HG101"])
    assert lie["workloads"][0]["patch"]
    assert (fine, truth["findings"], truth["workloads"][0]["patch"]) == (0, [], None)


def test_lists_that_do_not_fit_together_accuse_nobody(bare: ControlPlane) -> None:
    """An owner that came after the list of its kind, and a child that went before it was asked."""

    def put(obj: dict[str, Any]) -> Any:
        return write(bare, obj, AUDITED, user=None).json()["metadata"]

    deployment = put(an("Deployment", "late"))
    children = [
        put(an("ReplicaSet", name, owner("Deployment", uid, "late")))
        for name, uid in (("late-1", deployment["uid"]), ("lying", "1-1"), ("gone", "1-1"))
    ]
    (kind,) = (kind for kind in BUILTIN if kind.kind == "ReplicaSet")
    seen = Owners(BUILTIN)
    for metadata in children:
        seen.check(kind, metadata)
    bare.raw("DELETE", path_of("ReplicaSet", AUDITED) + "/gone?propagationPolicy=Background")

    found = list(seen.forgeries(Cluster(bare.kubeconfig)))

    assert [(forgery.ref.name, forgery.why) for _, forgery in found] == [
        ("lying", "has another uid")
    ]


def reader(plane: ControlPlane) -> Any:
    """Somebody who may list ReplicaSets and none of their owners."""
    role = ("clusterrole", "only-replicasets")
    plane.kubectl("create", *role, "--verb=list", "--resource=replicasets.apps", check=False)
    plane.kubectl(
        "create", "clusterrolebinding", "only-replicasets", "--clusterrole=only-replicasets",
        "--user=only-replicasets", check=False,
    )  # fmt: skip
    return plane.client("only-replicasets")


def test_a_deployment_older_than_its_rule_keeps_its_one_replicaset(
    plane: ControlPlane, tmp_path: Path
) -> None:
    """The real controller scales, adopts and orphans; a person touches what it made."""
    namespace = "owned-older"
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("NAMESPACE", namespace))
    plane.kubectl("create", "namespace", namespace)
    plane.apply([an("Deployment", "web", namespace=namespace)])

    def replicasets() -> Any:
        return plane.get_json("rs", "-n", namespace)["items"]

    def pods(count: int) -> bool:
        found = plane.get_json("pods", "-n", namespace)["items"]
        return len([one for one in found if not one["metadata"].get("deletionTimestamp")]) == count

    plane.until(lambda: pods(1), "the first pod")
    (made,) = replicasets()
    name = made["metadata"]["name"]
    with Server("--policy", str(policy)) as server:
        plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        plane.kubectl("annotate", "rs", name, "-n", namespace, "touched=yes")
        # The controller writes the ReplicaSet, and sees what became of it meanwhile.
        plane.kubectl("patch", "deployment/web", "-n", namespace, "--subresource=scale",
                      "--type=merge", "-p", '{"spec": {"replicas": 3}}')  # fmt: skip
        plane.until(lambda: pods(3), "the Deployment to scale")
        scaled = replicasets()
        plane.kubectl("delete", "deployment", "web", "-n", namespace, "--cascade=orphan")
        orphans = replicasets()
        plane.unregister_guard()

    assert [one["metadata"]["uid"] for one in scaled] == [made["metadata"]["uid"]]
    assert scaled[0]["metadata"]["annotations"]["touched"] == "yes"
    assert scaled[0]["spec"]["template"] == made["spec"]["template"]
    assert [one["metadata"].get("ownerReferences") for one in orphans] == [None]
    assert orphans[0]["spec"]["template"] == made["spec"]["template"]
    plane.kubectl("delete", "namespace", namespace, "--wait=false")
