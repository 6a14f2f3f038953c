"""What queues write into suspended Jobs, call by call, on the real API server with the guard on.

Kueue: pkg/controller/jobs/job/job_controller.go (Stop, RunWithPodSetsInfo) and pkg/podset (Merge,
RestorePodSpec), as strict merge patches. JobSet: pkg/controllers/jobset_controller.go (suspendJobs,
resumeJob), as whole updates. No controller runs here, so the Job controller's status is written by
hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster import landing
from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.serving import Server

KEY = "alibabacloud.com/external"
PINNED = {"key": KEY, "operator": "NotIn", "values": ["true"]}
PINNED_ONCE = [{"matchExpressions": [PINNED]}]
NEUTRAL, CLOUD = {"pool": "a"}, {KEY: "true"}
KUEUE = "system:serviceaccount:kueue-system:kueue-controller-manager"
JOBSET = "system:serviceaccount:jobset-system:jobset-controller-manager"
CONTROLLER = "system:serviceaccount:kube-system:job-controller"
TOLERATION = {"key": "pool", "operator": "Exists"}
NUMBERS = itertools.count()
STOPPING = "kueue.x-k8s.io/stopping"
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {namespaces: [queue-home], labels: {placed: "yes"}}, placement: on-prem}
- {name: strict, match: {namespaces: [queue-strict], labels: {placed: "yes"}}, placement: on-prem, action: deny}
"""


@pytest.fixture(scope="module")
def guarded(
    api_server: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(POLICY)
    for name in ("queue-home", "queue-strict"):
        namespace = {"kind": "Namespace", "metadata": {"name": name}}
        landing.ensure(api_server, "/api/v1/namespaces", namespace)
    with Server("--policy", str(file)) as server:
        api_server.register_guard(server.url, server.authority.pem, failure_policy="Fail")
        yield api_server
        api_server.unregister_guard()


@dataclass(slots=True)
class Job:
    """One Job of the API server's, as the accounts that write it do."""

    plane: ControlPlane
    name: str
    namespace: str = "queue-home"

    @property
    def path(self) -> str:
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{self.name}"

    @property
    def stored(self) -> Any:
        return self.plane.raw("GET", self.path).json()

    @property
    def terms(self) -> Any:
        affinity = self.pod_spec.get("affinity", {}).get("nodeAffinity", {})
        found = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
        return found.get("nodeSelectorTerms")

    @property
    def pod_spec(self) -> Any:
        return self.stored["spec"]["template"]["spec"]

    def create(self, *, placed: bool = True, **pod_spec: Any) -> Answer:
        """Create it suspended; `placed`: a rule wants it on-prem from the beginning."""
        container = {"name": "c", "image": "x"}
        template = {"spec": {"restartPolicy": "Never", "containers": [container], **pod_spec}}
        obj = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.name, "labels": {"placed": "yes"} if placed else {}},
            "spec": {"suspend": True, "template": template},
        }
        return self.plane.raw("POST", self.path.rpartition("/")[0], obj)

    def place(self) -> None:
        """Let the rule fit a Job that is there already."""
        assert self.patch({"metadata": {"labels": {"placed": "yes"}}}).status == 200

    def patch(
        self, body: dict[str, Any], user: str | None = None, sub_resource: str = ""
    ) -> Answer:
        """Send a merge patch with the resourceVersion, as Kueue's client does."""
        version = self.stored["metadata"]["resourceVersion"]
        metadata = {**body.get("metadata", {}), "resourceVersion": version}
        return self.plane.raw(
                "PATCH", self.path + sub_resource, {**body, "metadata": metadata},
                "application/merge-patch+json", user=user, groups=["system:masters"],
            )  # fmt: skip

    def put(self, obj: Any, user: str, sub_resource: str = "") -> Answer:
        path = self.path + sub_resource
        return self.plane.raw("PUT", path, obj, user=user, groups=["system:masters"])

    def started(self) -> None:
        """Write what the Job controller writes once the Job runs."""
        obj = self.stored
        resumed = {"type": "Suspended", "status": "False", "lastTransitionTime": NOW}
        obj["status"] = {"startTime": NOW, "conditions": [resumed]}
        assert self.put(obj, CONTROLLER, "/status").status == 200

    def halted(self) -> None:
        """Write what the Job controller writes once the pods of a suspended Job are gone."""
        obj = self.stored
        obj["status"]["conditions"] = [
            {"type": "Suspended", "status": "True", "lastTransitionTime": NOW}
        ]
        assert self.put(obj, CONTROLLER, "/status").status == 200


NOW = "2026-01-01T00:00:00Z"


def kueue_admits(job: Job, flavour: dict[str, str]) -> Answer:
    template = {
        "metadata": {"labels": {"kueue.x-k8s.io/podset": "main"}, "annotations": {"w": "job-a"}},
        "spec": {"nodeSelector": flavour, "tolerations": [TOLERATION]},
    }
    return job.patch({"spec": {"suspend": False, "template": template}}, KUEUE)


def kueue_stops(job: Job, flavour: dict[str, str]) -> list[Answer]:
    """Suspend, clear the start time, restore what the flavour had brought."""
    suspend = {"metadata": {"annotations": {STOPPING: "true"}}, "spec": {"suspend": True}}
    answers = [job.patch(suspend, KUEUE)]
    job.halted()
    answers.append(job.patch({"status": {"startTime": None}}, KUEUE, "/status"))
    template = {
        "metadata": {"labels": {"kueue.x-k8s.io/podset": None}, "annotations": None},
        "spec": {"nodeSelector": dict.fromkeys(flavour), "tolerations": None},
    }
    restore = {"metadata": {"annotations": {STOPPING: None}}, "spec": {"template": template}}
    return [*answers, job.patch(restore, KUEUE)]


def jobset_resumes(job: Job, flavour: dict[str, str]) -> list[Answer]:
    answers = []
    obj = job.stored
    if obj["status"].pop("startTime", None):
        answers.append(job.put(obj, JOBSET, "/status"))
        obj = job.stored
    spec = obj["spec"]["template"]["spec"]
    spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **flavour}
    spec["tolerations"] = [TOLERATION]
    obj["spec"]["suspend"] = False
    return [*answers, job.put(obj, JOBSET)]


@pytest.fixture(params=[True, False], ids=["pinned at creation", "older than its rule"])
def waiting(guarded: ControlPlane, request: pytest.FixtureRequest) -> Job:
    """A suspended Job that a rule wants on-prem."""
    job = Job(guarded, f"waits-{next(NUMBERS)}")
    assert job.create(placed=request.param).status == 201
    if not request.param:
        job.place()
    assert job.terms == (PINNED_ONCE if request.param else None)
    return job


def test_kueues_writes_go_round_and_round_and_nothing_is_refused(waiting: Job) -> None:
    job, specs = waiting, []
    for _ in range(3):
        admitted = kueue_admits(job, NEUTRAL)
        assert (admitted.status, job.terms) == (200, PINNED_ONCE), admitted.body
        again = kueue_admits(job, NEUTRAL)
        assert version(again) == version(admitted), "the same write stores nothing"
        specs.append(job.stored["spec"])
        job.started()
        answers = kueue_stops(job, NEUTRAL)
        assert (statuses(answers), job.terms) == ({200}, PINNED_ONCE), answers
        specs.append(job.stored["spec"])

    assert specs == specs[:2] * 3
    assert specs[0]["template"]["spec"]["nodeSelector"] == NEUTRAL
    assert "nodeSelector" not in specs[1]["template"]["spec"]


def test_jobsets_writes_go_round_and_round_and_nothing_is_refused(waiting: Job) -> None:
    job, specs = waiting, []
    for _ in range(3):
        answers = jobset_resumes(job, NEUTRAL)
        assert (statuses(answers), job.terms) == ({200}, PINNED_ONCE), answers
        again = job.put(job.stored, JOBSET)
        assert version(again) == version(answers[-1]), "the same write stores nothing"
        specs.append(job.stored["spec"])
        job.started()
        obj = job.stored
        obj["spec"]["suspend"] = True
        assert job.put(obj, JOBSET).status == 200
        job.halted()

    assert specs == specs[:1] * 3
    assert specs[0]["template"]["spec"]["nodeSelector"] == NEUTRAL


def test_a_flavour_in_the_cloud_is_warned_about_and_comes_and_goes(waiting: Job) -> None:
    job, before = waiting, waiting.terms
    for _ in range(2):
        admitted = kueue_admits(job, CLOUD)
        assert (admitted.status, job.pod_spec["nodeSelector"]) == (200, CLOUD), admitted.body
        assert told(admitted) == ("HG104" if before else "HG103"), "pinned, it fits nowhere"
        assert job.terms == before, "a contradiction is not mended"
        job.started()
        answers = kueue_stops(job, CLOUD)
        assert statuses(answers) == {200}, answers
        assert "nodeSelector" not in job.pod_spec
        before = PINNED_ONCE
        assert job.terms == before
    assert statuses(jobset_resumes(job, CLOUD)) == {200}


def test_a_rule_that_says_deny_denies_a_flavour_in_the_cloud(guarded: ControlPlane) -> None:
    job = Job(guarded, "strict", "queue-strict")
    refused = job.create()
    assert (refused.status, "HG101" in refused.body.decode()) == (403, True)
    assert job.create(placed=False).status == 201
    job.place()

    denied = [kueue_admits(job, CLOUD), *jobset_resumes(job, CLOUD)]
    admitted = kueue_admits(job, NEUTRAL)

    assert statuses(denied) == {403}
    assert all("HG103" in answer.body.decode() for answer in denied)
    assert (admitted.status, told(admitted)) == (200, "HG101"), "it was so before"


def test_a_user_cannot_send_a_waiting_job_to_the_cloud(waiting: Job) -> None:
    def write(**pod_spec: Any) -> Answer:
        return waiting.patch({"spec": {"template": {"spec": pod_spec}}})

    there = write(affinity=None, nodeSelector=CLOUD)
    moved = write(nodeSelector=NEUTRAL)
    bare = write(affinity=None, nodeSelector=None)

    assert (there.status, "HG103" in there.body.decode()) == (403, True)
    assert (moved.status, bare.status, waiting.terms) == (200, 200, PINNED_ONCE)


def test_what_may_not_change_any_more_is_never_patched(guarded: ControlPlane) -> None:
    job = Job(guarded, "runs")
    assert job.create(placed=False).status == 201
    assert job.patch({"spec": {"suspend": False}}).status == 200
    job.started()
    job.place()

    writes: list[dict[str, Any]] = [
        {"metadata": {"labels": {"a": "b"}}},
        {"metadata": {"finalizers": ["example.com/x"]}},
        {"metadata": {"finalizers": None}},
        {"spec": {"parallelism": 2}},
        {"spec": {"suspend": True}},
        {"spec": {"suspend": False}},
    ]
    answers = [job.patch(body) for body in writes]

    assert statuses(answers) == {200}, answers
    assert all("HG101 can land on cloud nodes" in "".join(one.warnings) for one in answers)
    assert job.terms is None


def statuses(answers: list[Answer]) -> set[int]:
    return {answer.status for answer in answers}


def told(answer: Answer) -> str:
    """The rule of the first warning."""
    return answer.warnings[0].partition(" ")[0]


def version(answer: Answer) -> str:
    found: str = answer.json()["metadata"]["resourceVersion"]
    return found
