"""The chart's objects before the real API server: accepted, and doing what they are for."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from certs.inject import Configurations
from certs.kube import Kube
from certs.lease import Lease
from certs.renewal import Step
from certs.rotate import Rotator
from certs.served import Endpoints
from certs.store import SecretStore
from tests.certs.scene import HOSTS
from tests.cluster import foreign
from tests.cluster.chart import SETS, hook_objects, objects, one, pod
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT
from tests.serving import Server

DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
SECRETS = "/api/v1/namespaces/kube-system/secrets"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@pytest.fixture(scope="module")
def with_foreign_kinds(api_server: ControlPlane) -> ControlPlane:
    """The API server with cert-manager's and the Prometheus operator's CRDs, from their types."""
    for file in foreign.crds():
        api_server.kubectl("apply", "--server-side", "-f", str(file))
    api_server.kubectl("wait", "--for=condition=Established", "crd", "--all")
    return api_server


@pytest.mark.timeout(900)  # the first run builds controller-gen
@pytest.mark.parametrize("name", SETS)
def test_the_api_server_takes_every_object(with_foreign_kinds: ControlPlane, name: str) -> None:
    plane, found = with_foreign_kinds, [*objects(name), *hook_objects(name)]

    done = plane.apply(found, "--server-side", "--validate=strict", check=False)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": found})
    plane.kubectl("delete", "--wait=false", "-f", "-", stdin=text, check=False)
    wait_until_forgotten(plane)

    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == len(found)


def test_a_field_that_the_foreign_types_do_not_have_is_refused(
    with_foreign_kinds: ControlPlane,
) -> None:
    (wrong,) = (o for o in objects("everything") if o["kind"] == "ServiceMonitor")
    wrong["spec"]["endpoints"][0]["intervall"] = "30s"

    done = with_foreign_kinds.apply([wrong], "--server-side", "--validate=strict", check=False)

    assert "intervall" in done.stderr


@pytest.mark.timeout(900)
def test_prometheus_parses_every_alert_and_somebody_serves_its_metrics() -> None:
    (group,) = one("everything", "PrometheusRule")["spec"]["groups"]
    expressions = [rule["expr"] for rule in group["rules"]]
    used = {name for text in expressions for name in re.findall(r"\bhybrid_guard_\w+", text)}
    with Server("--network", "bgp") as server:
        served = server.request("GET", "/metrics").body.decode()

    assert foreign.promql(expressions) == ["ok"] * len(expressions)
    assert foreign.promql(["increase(a[5m]) > "]) != ["ok"], "the parser can refuse"
    assert len(used) == 3
    for name in used:
        assert f"\n{name} " in served


def pinned(operator: str = "NotIn", values: list[str] | None = None) -> dict[str, Any]:
    expression: dict[str, Any] = {"key": "alibabacloud.com/external", "operator": operator}
    if operator in ("In", "NotIn"):
        expression["values"] = values or ["true"]
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def daemonset(name: str, affinity: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": "i"}]}
    if affinity:
        spec["affinity"] = affinity
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, **metadata},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip


SERVER, ROTATOR = (
    f"system:serviceaccount:kube-system:{name}" for name in ("hybrid-guard", "hybrid-guard-certs")
)
ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
KINDS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret", "Lease",
         "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")  # fmt: skip


@pytest.fixture
def identities(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """What the chart renders, but for the pods and the Service: nothing answers the hooks."""
    text = yaml.safe_dump_all(obj for obj in objects("bgp") if obj["kind"] in KINDS)
    api_server.kubectl("apply", "-f", "-", stdin=text)
    yield api_server
    api_server.kubectl("delete", "-f", "-", stdin=text)
    wait_until_forgotten(api_server)


def wait_until_forgotten(plane: ControlPlane) -> None:
    """Wait until a hook that was deleted, and that nobody answers, holds up no write."""
    path = f"{CONFIG_MAPS}?dryRun=All"

    def stored() -> bool:
        return plane.raw("POST", path, config_map("eni-config")).status == 201

    plane.until(stored, "the hooks to be forgotten")


def bundles(plane: ControlPlane) -> set[str | None]:
    found = plane.raw("GET", f"{CONFIGURATIONS}/hybrid-guard").json()["webhooks"]
    return {hook["clientConfig"].get("caBundle") for hook in found}


def wipe_bundles(configuration: dict[str, Any]) -> None:
    for hook in configuration["webhooks"]:
        hook["clientConfig"].pop("caBundle", None)


def test_the_rotator_does_its_work_with_the_charts_rights_alone(identities: ControlPlane) -> None:
    kubeconfig = identities.client(ROTATOR, ACCOUNTS).kubeconfig
    (container,) = pod("bgp", "hybrid-guard-certs")["containers"]
    program = [sys.executable, "-m", "certs", *container["command"][1:]]
    program += ["--kubeconfig", str(kubeconfig), "--interval", "0.2"]
    assert bundles(identities) == {None}

    with subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        try:
            identities.until(lambda: None not in bundles(identities), "the CA in every hook")
            (right,) = bundles(identities)
            wiped = identities.update(f"{CONFIGURATIONS}/hybrid-guard", wipe_bundles)
            assert wiped.status == 200
            identities.until(lambda: bundles(identities) == {right}, "the CA to be put back")
            identities.apply([o for o in objects("bgp") if o["kind"] in KINDS])
            assert bundles(identities) == {right}, "an apply of the chart leaves it alone"
        finally:
            child.terminate()
            _, told = child.communicate(timeout=30)

    assert child.returncode == 0
    assert "error" not in told
    lease = identities.raw("GET", f"{LEASES}/hybrid-guard-certs").json()
    assert not lease["spec"].get("holderIdentity"), "given back"


def test_the_rotator_uses_every_right_it_has_in_one_life(identities: ControlPlane) -> None:
    before = len(identities.audit_events())
    kube = Kube(identities.client(ROTATOR, ACCOUNTS).kubeconfig)
    lease = Lease(kube, f"{LEASES}/hybrid-guard-certs", "me")
    rotator = Rotator(
        store=SecretStore(kube, "kube-system", "hybrid-guard-tls"),
        hooks=Configurations(kube, "hybrid-guard"),
        hosts=HOSTS,
        settled=Endpoints(kube, "kube-system", "hybrid-guard").settled,
    )
    assert lease.held()
    done: set[Step] = set()
    born = dt.datetime.now(dt.UTC)
    for age in (0, 61, 4.6 * 365, 4.6 * 365 + 0.01, 4.6 * 365 + 1.1):  # days
        done |= {plan.step for plan in rotator.steps(partial(born.__add__, dt.timedelta(days=age)))}
    broken = {"data": {"old-ca.crt": base64.b64encode(b"broken").decode()}}
    merge = "application/merge-patch+json"
    assert identities.raw("PATCH", f"{SECRETS}/hybrid-guard-tls", broken, merge).status == 200
    late = partial(born.__add__, dt.timedelta(days=4.6 * 365 + 1.2))
    done |= {plan.step for plan in rotator.steps(late)}
    lease.release()

    assert done == set(Step)
    used = {
        (event["verb"], event["objectRef"]["resource"])
        for event in identities.audit_events()[before:]
        if event["user"]["username"] == ROTATOR and event.get("objectRef")
    }
    granted = {
        (verb, resource)
        for obj in objects("bgp")
        if obj["kind"] in ("Role", "ClusterRole")
        for rule in obj["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == used


def test_neither_account_may_do_more(identities: ControlPlane) -> None:
    other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "another"}}
    identities.raw("POST", SECRETS, other)
    refused = [
        (ROTATOR, "GET", f"{SECRETS}/another"), (ROTATOR, "GET", SECRETS), (ROTATOR, "DELETE", f"{SECRETS}/hybrid-guard-tls"),
        (ROTATOR, "GET", CONFIGURATIONS), (ROTATOR, "DELETE", f"{CONFIGURATIONS}/hybrid-guard"), (ROTATOR, "GET", "/api/v1/nodes"),
        (SERVER, "GET", f"{SECRETS}/hybrid-guard-tls"), (SERVER, "GET", CONFIG_MAPS),
        (SERVER, "GET", f"{CONFIGURATIONS}/hybrid-guard"), (SERVER, "GET", "/api/v1/nodes"),
    ]  # fmt: skip

    for call in refused:
        user, method, path = call
        assert identities.raw(method, path, user=user, groups=ACCOUNTS).status == 403, call
    assert identities.raw("POST", SECRETS, other, user=ROTATOR, groups=ACCOUNTS).status == 403
    identities.raw("DELETE", f"{SECRETS}/another")


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}


def test_until_the_ca_is_in_only_eni_config_is_held_up(identities: ControlPlane) -> None:
    def send(method: str, path: str, body: object = None) -> int:
        return identities.raw(method, path, body).status

    before = identities.metrics()
    assert send("POST", CONFIG_MAPS, config_map("other")) == 201
    assert send("PUT", f"{CONFIG_MAPS}/other", config_map("other", data={"a": "b"})) == 200
    assert send("DELETE", f"{CONFIG_MAPS}/other") == 200
    labelled = config_map("other", metadata={"labels": {"gone": "soon"}})
    assert send("POST", CONFIG_MAPS, labelled) == 201
    assert send("DELETE", f"{CONFIG_MAPS}?labelSelector=gone%3Dsoon") == 200
    assert send("POST", DAEMONSETS, daemonset("calico-node")) == 201, "Ignore"
    assert send("DELETE", f"{DAEMONSETS}/calico-node") == 200
    assert send("POST", CONFIG_MAPS, config_map("eni-config")) == 500
    told = "\n".join(identities.metrics_since(before))
    for metric, name in (  # as the chart's alerts know them
        ("fail_open_count", "mutate-cni"),
        ("fail_open_count", "validate-cni"),
        ("rejection_count", "validate-eni-config"),
    ):
        lines = re.findall(rf'apiserver_admission_webhook_{metric}{{.*name="{name}\..*', told)
        assert lines
        assert metric != "rejection_count" or all("calling_webhook_error" in at for at in lines)


COMMAND = "kubectl delete validatingwebhookconfiguration hybrid-guard"


@pytest.mark.parametrize("behind", ["no Service", "a Service without endpoints"])
def test_the_api_servers_own_refusal_spells_the_command_that_lifts_it(
    identities: ControlPlane, behind: str
) -> None:
    service = [o for o in objects("bgp") if o["kind"] == "Service" and behind != "no Service"]
    for obj in service:
        identities.apply([obj])

    refused = identities.raw("POST", CONFIG_MAPS, config_map("eni-config"))
    for obj in service:
        identities.kubectl("-n", "kube-system", "delete", "service", obj["metadata"]["name"])

    assert refused.status == 500
    assert (
        'failed calling webhook "validate-eni-config.hybrid-guard.io"' in refused.json()["message"]
    )
    assert f"/break-glass/{COMMAND.replace(' ', '/')}?" in refused.json()["message"]

    identities.kubectl(*COMMAND.split()[1:])
    identities.until(
        lambda: (
            identities.raw("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("eni-config")).status
            == 201
        ),
        "the hook to be forgotten",
    )
    identities.apply([o for o in objects("bgp") if o["kind"] == "ValidatingWebhookConfiguration"])
