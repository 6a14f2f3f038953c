"""A user with the `edit` role in one namespace, against the guard with `failurePolicy: Ignore`.

Whatever such a user writes is stored pinned or not at all, and no other write fails for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.serving import Server

HOME = "slips"
EDITOR = "eve"
POLICY = f"""
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {{name: home, match: {{namespaces: [{HOME}]}}, placement: on-prem}}
templates:
- {{apiGroup: apps.kruise.io, apiVersions: [v1alpha1], resource: clonesets, kind: CloneSet, path: /spec/template}}
"""
PINNED = {"key": "alibabacloud.com/external", "operator": "NotIn", "values": ["true"]}
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{HOME}/deployments"
CLONE_SETS = f"/apis/apps.kruise.io/v1alpha1/namespaces/{HOME}/clonesets"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "clonesets.apps.kruise.io", "annotations": {"api-approved.kubernetes.io": "unapproved"}},
    "spec": {
        "group": "apps.kruise.io",
        "scope": "Namespaced",
        "names": {"plural": "clonesets", "kind": "CloneSet"},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}],
    },
}  # fmt: skip
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "kruise-edit", "labels": {"rbac.authorization.k8s.io/aggregate-to-edit": "true"}},
    "rules": [{"apiGroups": ["apps.kruise.io"], "resources": ["clonesets"], "verbs": ["*"]}],
}  # fmt: skip
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "eve", "namespace": HOME},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
    "subjects": [{"kind": "User", "name": EDITOR, "apiGroup": "rbac.authorization.k8s.io"}],
}
MARK = "@@"


def deployment(name: str, **pod: Any) -> dict[str, Any]:
    """Return one without pods: thousands of terms would keep the scheduler busy."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "x"}], **pod},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": HOME},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def clone_set(name: str, more: Any) -> dict[str, Any]:
    obj = deployment(name, more=more)
    return {**obj, "apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet"}


def terms(*given: dict[str, Any]) -> dict[str, Any]:
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(given)}
    }
    return {"affinity": {"nodeAffinity": required}}


def nested(key: str, depth: int) -> bytes:
    return b'{"%b":' % key.encode() * depth + b"{}" + b"}" * depth


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slips") / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture(scope="module")
def home(plane: ControlPlane) -> ControlPlane:
    """The namespace, the user's role, and objects from before the guard came, beyond its bounds."""
    plane.apply(
        [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}, CRD, ROLE, BINDING]
    )
    plane.until(lambda: send(plane, "GET", CLONE_SETS).status == 200, "the user's rights")
    for name, depth in (("old-deep", 300), ("old-gone", 300)):
        answer = send(
            plane, "POST", CLONE_SETS, clone_set(name, MARK), nested("a", depth), user=None
        )
        assert answer.status == 201, answer.body
    old = deployment(
        "old-terms", **terms(*[{"matchExpressions": [{"key": "a", "operator": "Exists"}]}] * 12_000)
    )
    answer = send(plane, "POST", DEPLOYMENTS, old, user=None)
    assert answer.status == 201, answer.body[:500]
    return plane


@pytest.fixture(scope="module")
def guarded(home: ControlPlane, policy: Path) -> Iterator[ControlPlane]:
    with Server("--policy", str(policy)) as server:
        home.register_guard(server.url, server.authority.pem, name="slips")
        yield home
        home.unregister_guard("slips")
    home.kubectl("delete", "namespace", HOME, "--wait=false")


@pytest.fixture(autouse=True)
def _nothing_fails_open(guarded: ControlPlane) -> Iterator[None]:
    before = failed_open(guarded)
    yield
    assert failed_open(guarded) == before


def failed_open(plane: ControlPlane) -> int:
    pattern = r"^apiserver_admission_webhook_fail_open_count\{.*\} (\d+)"
    return sum(int(count) for count in re.findall(pattern, plane.metrics(), re.MULTILINE))


def send(plane: ControlPlane, method: str, path: str, obj: Any = None, marked: bytes = b"{}", user: str | None = EDITOR, kind: str = "application/json") -> Answer:  # fmt: skip
    """Send an object as the user; other bytes stand where its text says MARK."""
    text = (
        None if obj is None else json.dumps(obj).encode().replace(json.dumps(MARK).encode(), marked)
    )
    return plane.raw(
        method, path, text, kind, user=user, groups=() if user else ("system:masters",)
    )


def is_pinned(obj: dict[str, Any]) -> bool:
    affinity = obj["spec"]["template"]["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    found = required.get("nodeSelectorTerms", [])
    return bool(found) and all(PINNED in term.get("matchExpressions", []) for term in found)


def says_the_pin(answer: Answer) -> bool:
    """Tell it from the bytes: some answers are deeper than Python's decoder reads."""
    return (
        b'{"key":"alibabacloud.com/external","operator":"NotIn","values":["true"]}' in answer.body
    )


ODD_FIELDS = {
    "250 deep": nested("f:a", 250),
    "3,000 deep": nested("f:a", 3_000),
    "a key twice": b'{"f:a":{},"f:a":{}}',
    "many": b"{%b}" % b",".join(b'"f:a%d":{}' % i for i in range(50_000)),
}


@pytest.mark.parametrize("odd", ODD_FIELDS.values(), ids=ODD_FIELDS)
def test_managed_fields_hide_nothing(guarded: ControlPlane, odd: bytes) -> None:
    name = f"fields-{len(odd)}"
    obj = deployment(name)
    obj["metadata"]["managedFields"] = [
        {"apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": MARK, "manager": "m", "operation": "Update", "time": "2026-01-01T00:00:00Z"}
    ]  # fmt: skip
    answer = send(guarded, "POST", DEPLOYMENTS, obj, odd)
    assert answer.status == 201, answer.body[:500]
    assert says_the_pin(answer)

    later = send(guarded, "PUT", f"{DEPLOYMENTS}/{name}", deployment(name, hostNetwork=False))
    assert later.status == 200, later.body[:500]
    assert says_the_pin(later), "and each later write is judged"


@pytest.mark.parametrize("depth", [240, 300, 3_000, 9_000])
def test_a_custom_resource_of_any_depth_is_pinned_or_refused(
    guarded: ControlPlane, depth: int
) -> None:
    answer = send(guarded, "POST", CLONE_SETS, clone_set(f"deep-{depth}", MARK), nested("a", depth))

    if answer.status == 201:
        assert says_the_pin(answer)
    else:
        assert answer.status == 403
        assert "HG109 cannot be judged" in answer.json()["message"]


def test_an_object_deep_beside_its_template_is_pinned(guarded: ControlPlane) -> None:
    obj = clone_set("beside", [])
    obj["spec"]["beside"] = MARK

    answer = send(guarded, "POST", CLONE_SETS, obj, nested("a", 2_000))

    assert answer.status == 201, answer.body[:500]
    assert says_the_pin(answer)


def test_a_value_that_go_writes_six_times_as_long_is_judged(guarded: ControlPlane) -> None:
    env = [{"name": "a", "value": "<" * 1_300_000}]
    long = deployment("escapes", containers=[{"name": "c", "image": "x", "env": env}])
    answer = send(guarded, "POST", DEPLOYMENTS, long)
    assert answer.status == 201, answer.body[:500]
    assert is_pinned(answer.json())

    short = deployment("grows")
    assert send(guarded, "POST", DEPLOYMENTS, short).status == 201
    env[0]["value"] = "<" * 1_400_000
    grown = deployment("grows", containers=[{"name": "c", "image": "x", "env": env}])
    answer = send(guarded, "PUT", f"{DEPLOYMENTS}/grows", grown)
    assert answer.status == 200, answer.body[:500]
    assert is_pinned(answer.json()), "a PUT without the term gets it again"


def test_what_defaults_blow_up_beyond_the_cap_is_refused(guarded: ControlPlane) -> None:
    # Each `{}` is written with its defaults: 3 bytes become 140.
    containers: list[Any] = [{}] * 245_000
    answer = send(
        guarded, "POST", f"{DEPLOYMENTS}?dryRun=All", deployment("blown", containers=containers)
    )

    assert any(warning.startswith("HG109 ") for warning in answer.warnings)
    assert answer.status != 201, "no name: the API server refuses it by itself, or runs out of time"


SLOW: dict[str, dict[str, Any]] = {
    "terms": terms(*[{"matchExpressions": [{"key": f"k{i}", "operator": "In", "values": ["a"]}]} for i in range(9_000)]),
    "too many terms": terms(*[{"matchExpressions": [{"key": "k", "operator": "Exists"}]}] * 40_000),
    "values": terms({"matchExpressions": [{"key": "k", "operator": "NotIn", "values": [f"v{i}" for i in range(90_000)]}]}),
    "expressions on one key": terms({"matchExpressions": [{"key": "k", "operator": "NotIn", "values": [f"v{i}"]} for i in range(40_000)]}),
    "labels and terms": {
        "nodeSelector": {f"l{i}": "v" for i in range(6_000)},
        **terms(*[{"matchExpressions": [{"key": f"k{i}", "operator": "In", "values": ["a"]}]} for i in range(3_000)]),
    },
    "fields": terms({"matchExpressions": [{"key": "k", "operator": "Exists"}], "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": [f"n{i}"]} for i in range(20_000)]}),
}  # fmt: skip


@pytest.mark.serial  # a call has three seconds
@pytest.mark.parametrize("name", SLOW)
def test_what_used_to_take_longer_than_a_hook_may_is_pinned_or_refused(
    guarded: ControlPlane, name: str
) -> None:
    obj = deployment(f"slow-{list(SLOW).index(name)}", **SLOW[name])

    answer = send(guarded, "POST", DEPLOYMENTS, obj)

    if answer.status == 201:
        assert is_pinned(answer.json())
    else:
        assert answer.status in (403, 413, 422, 500), answer.body[:300]
        assert answer.status != 500 or b"etcdserver: request is too large" in answer.body


def test_other_terms_than_were_stored_are_pinned(guarded: ControlPlane) -> None:
    def terms_of(letter: str) -> dict[str, Any]:
        return terms(*[{"matchExpressions": [{"key": f"{letter}{i}", "operator": "In", "values": ["a"]}]} for i in range(3_000)])  # fmt: skip

    assert send(guarded, "POST", DEPLOYMENTS, deployment("others", **terms_of("k"))).status == 201
    answer = send(guarded, "PUT", f"{DEPLOYMENTS}/others", deployment("others", **terms_of("j")))

    assert answer.status == 200, answer.body[:500]
    assert is_pinned(answer.json())
    assert any(warning.startswith("HG107 ") for warning in answer.warnings)


MERGE = "application/merge-patch+json"


@pytest.mark.parametrize("path", [f"{CLONE_SETS}/old-deep", f"{DEPLOYMENTS}/old-terms"])
def test_what_is_stored_beyond_a_bound_takes_writes_that_leave_its_template_alone(
    guarded: ControlPlane, path: str
) -> None:
    writes: list[dict[str, Any]] = [
        {"annotations": {"a": "b"}},
        {"labels": {"a": "b"}},
        {"finalizers": ["example.com/wait"]},
        {"finalizers": []},
    ]
    for metadata in writes:
        answer = send(guarded, "PATCH", path, {"metadata": metadata}, kind=MERGE)
        assert answer.status == 200, answer.body[:500]
    beside = send(guarded, "PATCH", path, {"spec": {"minReadySeconds": 3}}, kind=MERGE)
    assert beside.status == 200, beside.body[:500]

    spec = {"template": {"spec": {"hostNetwork": True}}}
    other = send(guarded, "PATCH", path, {"spec": spec}, kind=MERGE)
    assert other.status == 403
    assert "HG109" in other.json()["message"]


def test_what_is_beyond_a_bound_can_be_deleted_with_its_finalizer(guarded: ControlPlane) -> None:
    path = f"{CLONE_SETS}/old-gone"
    wait = {"metadata": {"finalizers": ["example.com/wait"]}}
    assert send(guarded, "PATCH", path, wait, kind=MERGE).status == 200
    assert send(guarded, "DELETE", path).status == 200
    done = send(guarded, "PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE)
    assert done.status == 200, done.body[:500]

    assert send(guarded, "GET", path).status == 404


def test_a_system_controller_writes_what_is_beyond_a_bound(guarded: ControlPlane) -> None:
    patch = {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}
    answer = guarded.raw(
        "PATCH", f"{DEPLOYMENTS}/old-terms", patch, MERGE,
        user="system:kube-controller-manager", groups=["system:masters"],
    )  # fmt: skip

    assert answer.status == 200, answer.body[:500]


def test_a_denial_says_forbidden_and_nothing_that_makes_a_tool_recreate(
    guarded: ControlPlane,
) -> None:
    answer = send(guarded, "POST", CLONE_SETS, clone_set("denied", MARK), nested("a", 400))

    assert answer.json()["code"] == 403
    assert "immutable" not in answer.json()["message"]
