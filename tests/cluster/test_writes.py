"""Every way to write a workload, against the real API server with the guard registered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import landing
from tests.cluster.controlplane import hooks, nodes
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.second_hook import TERM, SecondHook
from tests.serving import Server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLOUD = {node.name for node in nodes.CLOUD}
ON_PREM = {node.name for node in nodes.ON_PREM}
LINUX_ON_PREM = {node.name for node in nodes.ON_PREM if node.os == "linux"}
PINNED = {"key": "alibabacloud.com/external", "operator": "NotIn", "values": ["true"]}
LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
SYSTEM = "kube-system"


def example(file: str, name: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((EXAMPLES / file).read_text())
    return next(d for d in documents if d["metadata"]["name"] == name)


def calico() -> dict[str, Any]:
    return example("calico-bgp.yaml", "calico-node")


def flannel() -> dict[str, Any]:
    return example("flannel-vxlan.yaml", "kube-flannel-ds")


def explicit(obj: dict[str, Any]) -> dict[str, Any]:
    """Spell out fieldRef.apiVersion: its default makes an atomic field that conflicts by itself."""
    spec = obj["spec"]["template"]["spec"]
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        for variable in container.get("env", ()):
            if "fieldRef" in variable.get("valueFrom", {}):
                variable["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    return obj


def terms_of(obj: dict[str, Any]) -> list[dict[str, Any]]:
    affinity = obj["spec"]["template"]["spec"].get("affinity", {}).get("nodeAffinity", {})
    found = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms: list[dict[str, Any]] = found.get("nodeSelectorTerms", [])
    return terms


def get(plane: ControlPlane, obj: dict[str, Any]) -> dict[str, Any]:
    metadata = obj["metadata"]
    found: dict[str, Any] = plane.get_json(
        obj["kind"].lower(), metadata["name"], "-n", metadata["namespace"]
    )
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("--policy", str(EXAMPLES / "policy.yaml")) as started:
        yield started


@pytest.fixture(scope="module")
def registered(plane: ControlPlane, server: Server) -> Iterator[ControlPlane]:
    plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")
    yield plane
    plane.unregister_guard()


@pytest.fixture
def guarded(registered: ControlPlane) -> Iterator[ControlPlane]:
    for namespace in ("kube-flannel", "batch-core"):
        landing.ensure(
            registered, "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": namespace}}
        )
    for namespace, name in (
        (SYSTEM, "calico-node"),
        ("kube-flannel", "flannel"),
        (SYSTEM, "terway"),
    ):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        landing.ensure(registered, path, {"kind": "ServiceAccount", "metadata": {"name": name}})
    yield registered
    found = registered.raw("GET", landing.ALL_DAEMONSETS).json()["items"]
    landing.delete_all(
        registered, [(d["metadata"]["namespace"], d["metadata"]["name"]) for d in found]
    )


def test_calico_node_in_bgp_mode_stays_off_the_cloud_nodes(guarded: ControlPlane) -> None:
    guarded.apply([calico()])

    assert terms_of(get(guarded, calico())) == [{"matchExpressions": [PINNED]}]
    assert landing.nodes_of(guarded, SYSTEM, "calico-node") == LINUX_ON_PREM


def test_terway_eniip_stays_off_the_on_prem_nodes(guarded: ControlPlane) -> None:
    guarded.apply([example("terway-eniip.yaml", "terway-eniip")])

    linux_cloud = {node.name for node in nodes.CLOUD if node.os == "linux"}
    assert landing.nodes_of(guarded, SYSTEM, "terway-eniip") == linux_cloud


def test_applying_twice_changes_nothing_the_second_time(guarded: ControlPlane) -> None:
    for arguments in ([], ["--server-side"]):
        first = guarded.apply([calico()], *arguments)
        before = get(guarded, calico())
        guarded.apply([calico()], *arguments)
        after = get(guarded, calico())

        assert "HG101" in first.stderr or arguments
        assert after["metadata"]["generation"] == before["metadata"]["generation"]
        landing.delete_all(guarded, [(SYSTEM, "calico-node")])


def test_an_edit_keeps_the_pin_once(guarded: ControlPlane) -> None:
    guarded.apply([flannel()])
    guarded.kubectl(
        "patch", "daemonset", "kube-flannel-ds", "-n", "kube-flannel", "--type=json",
        "-p", json.dumps([{"op": "replace", "value": "x/flannel:2",
                           "path": "/spec/template/spec/containers/0/image"}]),
    )  # fmt: skip

    stored = get(guarded, flannel())
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "x/flannel:2"
    assert terms_of(stored) == [{"matchExpressions": [LINUX, PINNED]}]


def test_an_operators_put_without_affinity_stays_pinned_and_starts_no_rollout(
    guarded: ControlPlane,
) -> None:
    guarded.apply([calico()])
    before = get(guarded, calico())

    def unpin(obj: dict[str, Any]) -> None:
        del obj["spec"]["template"]["spec"]["affinity"]

    answer = guarded.update(
        f"{landing.DAEMONSETS.format(SYSTEM)}/calico-node",
        unpin,
        user="system:serviceaccount:tigera-operator:tigera-operator",
        groups=["system:masters"],
    )

    assert answer.status == 200, answer.body
    after = get(guarded, calico())
    assert terms_of(after) == [{"matchExpressions": [PINNED]}]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert not any("restarts" in warning for warning in answer.warnings)


def test_an_unrelated_update_pins_what_was_there_before_and_says_what_restarts(
    plane: ControlPlane, server: Server, guarded: ControlPlane
) -> None:
    plane.unregister_guard()
    plane.apply([calico()])
    assert landing.nodes_of(plane, SYSTEM, "calico-node") & CLOUD
    plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")

    told = guarded.kubectl("annotate", "daemonset", "calico-node", "-n", SYSTEM, "touched=yes")

    assert "HG101 kept off cloud nodes" in told.stderr
    assert "restarts calico-node on 5 nodes, RollingUpdate, maxUnavailable 1" in told.stderr
    assert landing.nodes_of(guarded, SYSTEM, "calico-node") == LINUX_ON_PREM


def test_a_term_another_webhook_adds_after_ours_is_pinned_too(
    guarded: ControlPlane, tmp_path: Path
) -> None:
    with SecondHook(tmp_path) as second:
        document = hooks.mutating(
            second.url, second.authority, name="zz-second", domain="second.example"
        )
        guarded.apply([document])

        probe = calico()
        probe["metadata"]["name"] = "canal"  # not there yet, and pinned

        def reaches() -> bool:
            path = f"{landing.DAEMONSETS.format(SYSTEM)}?dryRun=All"
            return len(terms_of(guarded.raw("POST", path, probe).json())) == 2

        guarded.until(reaches, "the second webhook to be called")
        guarded.apply([calico()])
        guarded.kubectl("delete", "mutatingwebhookconfiguration", "zz-second")
        guarded.until(lambda: not reaches(), "the second webhook to be forgotten")

    own = TERM["matchExpressions"]
    assert terms_of(get(guarded, calico())) == [
        {"matchExpressions": [PINNED]},
        {"matchExpressions": [*own, PINNED]},
    ]


def test_a_dry_run_shows_the_pin_and_stores_nothing(guarded: ControlPlane) -> None:
    shown = guarded.apply([calico()], "--dry-run=server", "-o", "json")

    assert terms_of(json.loads(shown.stdout)) == [{"matchExpressions": [PINNED]}]
    assert guarded.kubectl("get", "ds", "calico-node", "-n", SYSTEM, check=False).returncode != 0


def test_the_vendors_patch_on_a_daemonset_with_terms_is_told(guarded: ControlPlane) -> None:
    guarded.apply([flannel()])
    body = {"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [PINNED]}]}}}}}}}  # fmt: skip
    told = guarded.kubectl(
        "-n", "kube-flannel", "patch", "ds", "kube-flannel-ds", "-p", json.dumps(body)
    )

    assert "HG107 this update drops node terms: kubernetes.io/os In [linux]" in told.stderr


def test_a_contradiction_is_denied_with_both_sides_named(guarded: ControlPlane) -> None:
    told = guarded.apply([example("workloads.yaml", "ledger-export")], check=False)

    assert told.returncode == 1
    assert "HG103 contradiction: rule batch-stays-home wants on-prem nodes" in told.stderr
    assert "nodeSelector: alibabacloud.com/external=true" in told.stderr


def test_eni_config_without_credentials_is_denied_and_other_config_maps_pass(
    guarded: ControlPlane,
) -> None:
    denied = guarded.apply([example("eni-config.yaml", "eni-config")], check=False)
    passed = guarded.apply([example("calico-bgp.yaml", "calico-config")])

    assert denied.returncode == 1
    assert "ENI020 eni_conf.access_key" in denied.stderr
    assert passed.returncode == 0


def test_switching_to_server_side_apply_conflicts_only_where_the_manifest_sets_terms(
    guarded: ControlPlane,
) -> None:
    guarded.apply([explicit(flannel()), explicit(calico())])

    plain = guarded.apply([explicit(calico())], "--server-side", check=False)
    own_terms = guarded.apply([explicit(flannel())], "--server-side", check=False)
    stored = terms_of(get(guarded, flannel()))
    forced = guarded.apply([explicit(flannel())], "--server-side", "--force-conflicts", check=False)

    assert plain.returncode == 0, plain.stderr
    assert stored == [{"matchExpressions": [LINUX, PINNED]}]
    assert own_terms.returncode == 1, own_terms.stderr
    assert "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution" in own_terms.stderr
    assert forced.returncode == 0, forced.stderr
    assert terms_of(get(guarded, flannel())) == [{"matchExpressions": [LINUX, PINNED]}]


def test_a_second_field_manager_conflicts_and_a_patched_manifest_does_not(
    guarded: ControlPlane,
) -> None:
    guarded.apply([explicit(flannel())], "--server-side", "--field-manager=first")

    second = guarded.apply(
        [explicit(flannel())], "--server-side", "--field-manager=second", check=False
    )
    patched = explicit(flannel())
    terms_of(patched)[0]["matchExpressions"].append(PINNED)
    cured = guarded.apply([patched], "--server-side", "--field-manager=second", check=False)

    assert second.returncode == 1
    assert "conflict" in second.stderr
    assert cured.returncode == 0, cured.stderr
    assert terms_of(get(guarded, flannel())) == [{"matchExpressions": [LINUX, PINNED]}]


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
@pytest.mark.parametrize("kind", ["unpinned", "contradictory", "pinned"])
def test_deleting_works_while_the_guard_validates(
    plane: ControlPlane, server: Server, guarded: ControlPlane, kind: str, cascade: str
) -> None:
    obj = calico()
    if kind == "contradictory":
        obj["spec"]["template"]["spec"]["nodeSelector"] = {"alibabacloud.com/external": "true"}
    if kind == "unpinned":
        plane.unregister_guard()
    plane.apply([obj])
    landing.nodes_of(plane, SYSTEM, "calico-node")
    if kind == "unpinned":
        plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")

    told = guarded.kubectl(
        "delete", "ds", "calico-node", "-n", SYSTEM, f"--cascade={cascade}", "--timeout=30s"
    )

    assert told.returncode == 0, told.stderr
    assert guarded.kubectl("get", "ds", "calico-node", "-n", SYSTEM, check=False).returncode == 1
    if cascade == "orphan":
        guarded.kubectl("delete", "pods", "-n", SYSTEM, "-l", "k8s-app=calico-node", "--force")
