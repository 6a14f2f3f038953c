"""The chart's own hooks, rendered for this API server's version and answered by the real server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import chart
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.test_chart_applied import CONFIG_MAPS, DAEMONSETS, config_map, daemonset, pinned
from tests.eni.samples import conf
from tests.serving import Server

HOST = "hybrid-guard.kube-system.svc"
CONFIGURED = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
NETTED = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server under the chart's policy."""
    policy: Path = tmp_path_factory.mktemp("chart") / "policy.yaml"
    policy.write_text(chart.one("bgp", "ConfigMap", "hybrid-guard-policy")["data"]["policy.yaml"])
    with Server("--policy", str(policy), hosts=("localhost", HOST)) as started:
        yield started


def answered_by(server: Server, obj: dict[str, Any]) -> dict[str, Any]:
    """Send the hooks of a configuration to a server: another port, and its CA."""
    for hook in obj["webhooks"]:
        hook["clientConfig"]["service"]["port"] = server.port
        hook["clientConfig"]["caBundle"] = base64.b64encode(server.authority.pem).decode()
    return obj


@pytest.fixture
def guarded(api_server: ControlPlane, server: Server) -> Iterator[ControlPlane]:
    service = {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "hybrid-guard", "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }  # fmt: skip
    found = chart.objects("bgp")
    applied = [answered_by(server, obj) for obj in found if obj["kind"] in CONFIGURED]
    applied += [service, *(obj for obj in found if obj["kind"] in NETTED)]
    api_server.apply(applied)

    def pins() -> bool:
        answer = api_server.raw("POST", f"{DAEMONSETS}?dryRun=All", daemonset("weave-net"))
        return is_pinned(answer.json())

    def denies() -> bool:
        broken = config_map("eni-config", data={"eni_conf": "{"})
        return api_server.raw("POST", f"{CONFIG_MAPS}?dryRun=All", broken).status == 403

    api_server.until(lambda: pins() and denies(), "a pin and a denial")
    yield api_server
    for obj in applied:
        if obj is not service:
            api_server.kubectl("delete", obj["kind"], obj["metadata"]["name"])
    api_server.until(lambda: not pins() and not denies(), "the hooks to be forgotten")
    api_server.kubectl("-n", "kube-system", "delete", "service", "hybrid-guard")
    api_server.kubectl("-n", "kube-system", "delete", "daemonsets,configmaps", "-l", "made=here")


def is_pinned(obj: dict[str, Any]) -> bool:
    return bool(obj["spec"]["template"]["spec"].get("affinity") == pinned())


MADE: dict[str, Any] = {"labels": {"made": "here"}}


def test_what_they_match_is_judged_and_nothing_else_is_held_up(guarded: ControlPlane) -> None:
    def send(method: str, path: str, body: object = None) -> Any:
        answer = guarded.raw(method, path, body)
        return answer.status, answer.json()

    before = guarded.metrics()
    status, stored = send("POST", DAEMONSETS, daemonset("calico-node", **MADE))
    assert (status, is_pinned(stored)) == (201, True)
    status, stored = send("PUT", f"{DAEMONSETS}/calico-node", daemonset("calico-node", **MADE))
    assert (status, is_pinned(stored)) == (200, True), "an operator's PUT is pinned, not refused"
    status, stored = send("POST", DAEMONSETS, daemonset("mine", **MADE))
    assert (status, is_pinned(stored)) == (201, False), "not of the catalogue"

    status, refused = send("POST", CONFIG_MAPS, config_map("eni-config", data={"eni_conf": "{}"}))
    assert status == 403
    assert "ENI0" in refused["message"]
    good = config_map("eni-config", metadata=MADE, data=conf())
    assert send("POST", CONFIG_MAPS, good)[0] == 201
    assert send("DELETE", f"{CONFIG_MAPS}/eni-config")[0] == 403, "without the annotation"

    for name in ("one", "two", "three"):
        assert send("POST", CONFIG_MAPS, config_map(name, metadata=MADE))[0] == 201
    changed = config_map("one", metadata=MADE, data={"a": "b"})
    assert send("PUT", f"{CONFIG_MAPS}/one", changed)[0] == 200
    assert send("DELETE", f"{CONFIG_MAPS}/one")[0] == 200
    others = "labelSelector=made%3Dhere&fieldSelector=metadata.name%21%3Deni-config"
    assert send("DELETE", f"{CONFIG_MAPS}?{others}")[0] == 200
    assert send("GET", f"{CONFIG_MAPS}/two")[0] == 404
    errors = [
        line for line in guarded.metrics_since(before)
        if line.startswith("apiserver_admission_match_condition_evaluation_errors_total")
    ]  # fmt: skip
    assert errors == []
