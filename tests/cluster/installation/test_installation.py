"""The chart installed for real, while 20 matched writes a second go on. The tests build on each other.

What is wanted in rotation, SIGTERM, upgrade, rollback and reload: no failed write, no write that the
API server let pass without the guard, nothing stored unpinned. Where the guard cannot answer: writes
of eni-config fail and say how to lift that, and no other write does.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs import issue
from certs.rotate import observe
from tests.cluster.chart import CHART
from tests.cluster.conftest import require_installation
from tests.cluster.installation.cluster import CONFIGURATIONS, HybridCluster
from tests.cluster.installation.load import (
    CONFIG_MAPS,
    DAEMONSETS,
    Load,
    daemonset,
    eni_config,
    is_pinned,
)
from tests.cluster.test_chart_applied import wipe_bundles
from tests.conftest import ROOT, THOROUGH

pytestmark = pytest.mark.waiting

BREAK_GLASS = "kubectl/delete/validatingwebhookconfiguration/hybrid-guard"
SECRET = "/api/v1/namespaces/kube-system/secrets/hybrid-guard-tls"
POLICY = f"{CONFIG_MAPS}/hybrid-guard-policy"
MERGE = "application/merge-patch+json"
HOSTS = tuple(
    f"hybrid-guard{end}"
    for end in (".kube-system.svc", "", ".kube-system", ".kube-system.svc.cluster.local")
)
SYNC_SECONDS = 60.0 if THOROUGH else 10.0
"""A kubelet brings volumes up to date each minute; the ordinary run does not wait so long."""
ROTATION_SECONDS = 60 + 20 + 20 + SYNC_SECONDS + 60
"""A CA settles for 60 s, the rotator looks each 20 s, and this machine may be slow."""

Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[HybridCluster]:
    with HybridCluster(require_installation(), sync_seconds=SYNC_SECONDS) as started:
        yield started


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def clean(load: Load) -> None:
    assert [(w.writer, w.operation, w.status, w.message) for w in load.writes if w.failed] == []
    assert load.opened == 0
    assert load.unpinned() == []


def served(cluster: HybridCluster) -> set[x509.Certificate]:
    """Return the certificates that the servers show."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found = set()
    for life in cluster.runner.lives("server"):
        with (
            socket.create_connection((life.sandbox.address, 19443), 5) as raw,
            context.wrap_socket(raw) as connection,
        ):
            found.add(
                x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
            )
    return found


def secret(cluster: HybridCluster) -> dict[str, bytes]:
    data = cluster.plane.raw("GET", SECRET).json()["data"]
    return {key: base64.b64decode(value) for key, value in data.items()}


def write_secret(cluster: HybridCluster, data: dict[str, bytes]) -> None:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    assert cluster.plane.raw("PATCH", SECRET, {"data": encoded}, MERGE).status == 200


def authority(data: dict[str, bytes]) -> issue.Authority:
    found = observe(data, ()).current
    assert found is not None
    return found


def pair(signer: issue.Authority, issued: dt.datetime) -> dict[str, bytes]:
    leaf = issue.leaf(signer, HOSTS, issued)
    return {"tls.crt": leaf.certificate, "tls.key": leaf.key}


def bundles(cluster: HybridCluster) -> list[list[x509.Certificate]]:
    """Return the CAs that each hook trusts."""
    hooks = []
    for kind in ("mutating", "validating"):
        hooks += cluster.plane.raw("GET", CONFIGURATIONS.format(kind)).json()["webhooks"]
    pems = [base64.b64decode(hook["clientConfig"].get("caBundle", "")) for hook in hooks]
    return [x509.load_pem_x509_certificates(pem) if pem else [] for pem in pems]


def test_until_the_server_is_ready_eni_config_is_refused_and_nothing_else(
    cluster: HybridCluster, figure: Figure
) -> None:
    assert cluster.plane.raw("POST", CONFIG_MAPS, eni_config(0)).status == 201
    cluster.runner.hold("server", "certs")
    with Load(cluster.plane, keeps_pins=True) as load:
        install, *checks = readme("Install")
        cluster.run(install)
        cluster.until(lambda: load.failed("eni-config"), "eni-config writes to be refused")
        cluster.runner.release()
        for check in checks:
            cluster.run(check)
        cluster.until_ready()
        ran = min(life.started_at or 0 for life in cluster.runner.lives("certs"))
        first = cluster.until(lambda: load.stored_since("eni-config", ran), "eni-config", 60)
        cluster.run(checks[-1])  # again: its pod has the same name

    assert load.held_up() == []
    assert {BREAK_GLASS in write.message for write in load.failed("eni-config")} == {True}
    assert [w for w in load.failed("eni-config") if w.at > first.at] == []
    assert all(len(trusted) == 1 for trusted in bundles(cluster))
    figure(f"eni-config is stored {first.at - ran:.1f} s after the rotator runs; {load.figures()}")
    with Load(cluster.plane) as load:
        cluster.until(lambda: len(load.writes) > 100, "a hundred writes")
    clean(load)
    figure(load.figures())


def readme(heading: str) -> list[str]:
    """Return the command lines of the README below a heading."""
    text = (ROOT / "README.md").read_text("utf-8").split(f"\n### {heading}\n")[1].split("\n#")[0]
    block = text.split("```")[1]
    return block.strip().splitlines()


def test_the_readme_shows_how_to_rotate_and_no_write_is_lost(
    cluster: HybridCluster, figure: Figure
) -> None:
    new_leaf, new_ca, check = readme("Rotate")
    before, old = served(cluster), bundles(cluster)[0]
    with Load(cluster.plane) as load:
        cluster.run(new_leaf)
        cluster.until(
            lambda: len(served(cluster)) == 1 and not served(cluster) & before, "another leaf", ROTATION_SECONDS,
        )  # fmt: skip
        assert {tuple(trusted) for trusted in bundles(cluster)} == {tuple(old)}
        cluster.run(new_ca)
        signed = cluster.until(
            lambda: renewed(cluster, old[0]), "a leaf of another CA", ROTATION_SECONDS
        )
        leaf = x509.load_pem_x509_certificate(signed["tls.crt"])
        cluster.until(lambda: served(cluster) == {leaf}, "the servers to show it", ROTATION_SECONDS)
        assert all(set(trusted) > set(old) for trusted in bundles(cluster)), "trusted for a day"
        assert "nothing to do: two CAs are trusted" in cluster.run(check)
    clean(load)
    figure(load.figures())


def test_a_ca_is_rotated_and_the_old_one_goes_a_day_later(
    cluster: HybridCluster, figure: Figure
) -> None:
    old = issue.authority(now() - issue.AUTHORITY_LIFE + dt.timedelta(days=100))
    with Load(cluster.plane) as load:
        take_over(cluster, old)
        data = cluster.until(
            lambda: renewed(cluster, old.certificate), "a leaf of the next CA", ROTATION_SECONDS
        )
        wanted = x509.load_pem_x509_certificate(data["tls.crt"])
        cluster.until(
            lambda: served(cluster) == {wanted}, "the servers to show it", ROTATION_SECONDS
        )
        assert all(old.certificate in trusted for trusted in bundles(cluster)), "trusted for a day"
        aged = pair(authority(data), now() - dt.timedelta(hours=25))
        write_secret(cluster, aged)
        new = authority(data).certificate
        cluster.until(
            lambda: all(t == [new] for t in bundles(cluster)), "the old CA to go", ROTATION_SECONDS
        )
        cluster.until(
            lambda: "old-ca.crt" not in secret(cluster), "its certificate to go", ROTATION_SECONDS
        )
    clean(load)
    figure(load.figures())


def take_over(cluster: HybridCluster, old: issue.Authority) -> None:
    """Make an old CA the one in use, as if it had been all along: trusted first, then shown."""
    before = bundles(cluster)[0]
    pem = b"".join(ca.public_bytes(serialization.Encoding.PEM) for ca in before) + old.pem

    def trust(stored: dict[str, Any]) -> None:
        for hook in stored["webhooks"]:
            hook["clientConfig"]["caBundle"] = base64.b64encode(pem).decode()

    for kind in ("mutating", "validating"):
        assert cluster.plane.update(CONFIGURATIONS.format(kind), trust).status == 200
    key = old.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(cluster, {"ca.crt": old.pem, "ca.key": key, **pair(old, now())})


def renewed(cluster: HybridCluster, old: x509.Certificate) -> dict[str, bytes] | None:
    """Return the Secret once its leaf is another CA's."""
    data = secret(cluster)
    if not {"ca.crt", "ca.key", "tls.crt"} <= set(data):
        return None
    signer = authority(data).certificate
    leaf = x509.load_pem_x509_certificate(data["tls.crt"])
    return data if signer != old and leaf.issuer == signer.subject else None


def test_one_of_two_servers_is_told_to_go(cluster: HybridCluster, figure: Figure) -> None:
    life = cluster.runner.lives("server")[0]
    with Load(cluster.plane) as load:
        cluster.run(f"kubectl -n kube-system delete pod {life.name} --wait=false")
        cluster.until(lambda: not life.is_alive(), "the pod to be gone", 90)
        cluster.until_ready()
    clean(load)
    figure(load.figures())


@pytest.fixture
def lower_chart(tmp_path: Path) -> Path:
    """The same chart, versioned one lower."""
    lower = tmp_path / "hybrid-guard"
    shutil.copytree(CHART, lower)
    text = (lower / "Chart.yaml").read_text()
    (lower / "Chart.yaml").write_text(text.replace("version: 0.1.0", "version: 0.0.9"))
    return lower


def test_the_release_is_upgraded_and_rolled_back(
    cluster: HybridCluster, lower_chart: Path, figure: Figure
) -> None:
    def version() -> str:
        return str(json.loads(cluster.run("helm list -n kube-system -o json"))[0]["chart"])

    with Load(cluster.plane) as load:
        cluster.helm("upgrade", chart=lower_chart)
        assert version() == "hybrid-guard-0.0.9"
        cluster.until_ready()
        cluster.helm("upgrade")
        cluster.until_ready()
        assert version() == "hybrid-guard-0.1.0"
        upgrade, rollback = readme("Upgrade")
        cluster.run(rollback)
        cluster.until_ready()
        assert version() == "hybrid-guard-0.0.9"
        cluster.run(upgrade)
        cluster.until_ready()
        assert version() == "hybrid-guard-0.1.0"
    clean(load)
    figure(load.figures())


def test_the_policy_is_reloaded(cluster: HybridCluster, figure: Figure) -> None:
    def lines(event: str) -> int:
        logs = [life.log() for life in cluster.runner.lives("server")]
        return min(log.count(f'"{event}"') for log in logs)

    stored = cluster.plane.raw("GET", POLICY).json()["data"]["policy.yaml"]
    changed = yaml.safe_load(stored)
    changed["rules"] = [{"name": "free", "match": {"names": ["weave-net"]}, "placement": "any"}]
    with Load(cluster.plane) as load:
        assert is_pinned(
            cluster.plane.raw("POST", f"{DAEMONSETS}?dryRun=All", daemonset("weave-net")).json()
        )
        for text, event in (
            (yaml.safe_dump(changed), "policy-loaded"), ("network: [", "policy-refused"),
        ):  # fmt: skip
            patch = {"data": {"policy.yaml": text}}
            assert cluster.plane.raw("PATCH", POLICY, patch, MERGE).status == 200
            cluster.until(
                lambda event=event: lines(event) >= 2, event, SYNC_SECONDS + 60
            )  # both workers
        free = cluster.plane.raw("POST", f"{DAEMONSETS}?dryRun=All", daemonset("weave-net")).json()
        assert not is_pinned(free), "the last good policy serves"
        patch = {"data": {"policy.yaml": stored}}
        assert cluster.plane.raw("PATCH", POLICY, patch, MERGE).status == 200
        cluster.until(
            lambda: lines("policy-loaded") >= 4, "the first policy again", SYNC_SECONDS + 60
        )
    clean(load)
    figure(load.figures())


def test_a_ca_bundle_that_an_apply_wiped_is_put_back(
    cluster: HybridCluster, figure: Figure
) -> None:
    with Load(cluster.plane, keeps_pins=True) as load:
        for kind in ("mutating", "validating"):
            assert cluster.plane.update(CONFIGURATIONS.format(kind), wipe_bundles).status == 200
        wiped = time.monotonic()
        cluster.until(lambda: load.failed("eni-config"), "eni-config writes to be refused")
        last = load.failed("eni-config")[-1].at
        first = cluster.until(lambda: load.stored_since("eni-config", last), "eni-config", 60)
        cluster.until(lambda: all(len(t) == 1 for t in bundles(cluster)), "every bundle")

    assert load.held_up() == []
    assert {BREAK_GLASS in write.message for write in load.failed("eni-config")} == {True}
    figure(f"eni-config is stored {first.at - wiped:.1f} s after the wipe; {load.figures()}")


def test_with_the_server_down_pins_stay_and_only_eni_config_waits(
    cluster: HybridCluster, figure: Figure
) -> None:
    raw = cluster.plane.raw
    assert is_pinned(raw("POST", DAEMONSETS, daemonset("calico-node")).json())
    cluster.runner.hold("server")
    cluster.runner.crash("server")
    with Load(cluster.plane, keeps_pins=True) as load:
        cluster.until(lambda: load.failed("eni-config"), "eni-config writes to be refused")
        refused = raw("PUT", f"{DAEMONSETS}/calico-node", daemonset("calico-node"))
        assert refused.status == 403
        assert (
            "HG107 this update takes the pin to on-prem nodes off calico-node"
            in refused.json()["message"]
        )
        cluster.run("kubectl -n kube-system annotate daemonset calico-node tried=yes")
        assert raw("POST", DAEMONSETS, daemonset("kube-router")).status == 201, "a CREATE is free"
        foreign_config_maps(cluster)
        assert raw("DELETE", f"{CONFIG_MAPS}/eni-config").status == 500
        cluster.runner.release()
        released = time.monotonic()
        first = cluster.until(lambda: load.stored_since("eni-config", released), "eni-config", 60)

    assert load.held_up() == []
    assert {BREAK_GLASS in write.message for write in load.failed("eni-config")} == {True}
    for name in ("calico-node", "kube-router"):
        raw("DELETE", f"{DAEMONSETS}/{name}")
    cluster.until_ready()
    figure(
        f"eni-config is stored {first.at - released:.1f} s after the server may start; {load.figures()}"
    )


def foreign_config_maps(cluster: HybridCluster) -> None:
    """Create, update, delete one by one and as a collection."""
    raw = cluster.plane.raw
    for name in ("foreign-a", "foreign-b", "foreign-c"):
        body: dict[str, Any] = {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"foreign": "yes"}},
        }  # fmt: skip
        assert raw("POST", CONFIG_MAPS, body).status == 201
        assert raw("PUT", f"{CONFIG_MAPS}/{name}", {**body, "data": {"a": "b"}}).status == 200
    assert raw("DELETE", f"{CONFIG_MAPS}/foreign-a").status == 200
    assert raw("DELETE", f"{CONFIG_MAPS}?labelSelector=foreign%3Dyes").status == 200
    assert raw("GET", f"{CONFIG_MAPS}?labelSelector=foreign%3Dyes").json()["items"] == []


def test_after_a_full_stop_cni_pods_come_up_without_the_guard(
    cluster: HybridCluster, figure: Figure
) -> None:
    cluster.run("kubectl -n kube-system create serviceaccount calico-node")
    cluster.run("kubectl apply -f examples/calico-bgp.yaml")
    before = cluster.until(lambda: running(cluster, "k8s-app=calico-node"), "Calico's pods")
    template = cluster.plane.raw("GET", f"{DAEMONSETS}/calico-node").json()["spec"]["template"]
    cluster.runner.hold("server", "certs")
    for component in ("server", "certs"):
        cluster.runner.crash(component)
    cluster.plane.stop()
    cluster.plane.start()
    started = time.monotonic()
    # KWOK holds its nodes by Leases for 40 s, also against itself; a kubelet just goes on.
    cluster.run("kubectl -n kube-node-lease delete lease --all")
    cluster.run("kubectl -n kube-system delete pods -l k8s-app=calico-node --wait=false")
    after = cluster.until(
        lambda: fresh(running(cluster, "k8s-app=calico-node"), before), "new pods of Calico", 90
    )
    seconds = time.monotonic() - started

    stored = cluster.plane.raw("GET", f"{DAEMONSETS}/calico-node").json()["spec"]["template"]
    assert stored == template
    assert {pod["spec"]["nodeName"] for pod in after} == {pod["spec"]["nodeName"] for pod in before}
    assert not any(pod["spec"]["nodeName"].startswith("cloud") for pod in after)
    assert "hybrid-guard.io" not in cluster.plane.metrics(), "no hook was called for any of it"
    cluster.runner.release()
    cluster.until_ready()
    cluster.run("kubectl delete -f examples/calico-bgp.yaml")
    figure(f"{len(after)} CNI pods up {seconds:.1f} s after the start, the guard down")


def running(cluster: HybridCluster, selector: str) -> list[dict[str, Any]]:
    path = f"/api/v1/namespaces/kube-system/pods?labelSelector={selector.replace('=', '%3D')}"
    pods = cluster.plane.raw("GET", path).json()["items"]
    up = [pod for pod in pods if pod["status"].get("phase") == "Running"]
    return up if len(up) == len(pods) else []


def fresh(pods: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the pods if all are there and none is one of before."""
    old = {pod["metadata"]["uid"] for pod in before}
    is_new = len(pods) == len(before) and not any(pod["metadata"]["uid"] in old for pod in pods)
    return pods if is_new else []


def test_it_is_uninstalled_without_a_failed_write_and_pins_stay(
    cluster: HybridCluster, figure: Figure
) -> None:
    assert is_pinned(cluster.plane.raw("POST", DAEMONSETS, daemonset("calico-node")).json())
    with Load(cluster.plane, keeps_pins=True) as load:
        began = time.monotonic()
        for command in readme("Uninstall"):
            cluster.run(command)
        cluster.until(lambda: not left(cluster), "nothing to be left", 90)
        seconds = time.monotonic() - began

    assert load.held_up() == []
    assert load.failed("eni-config") == []
    assert is_pinned(cluster.plane.raw("GET", f"{DAEMONSETS}/calico-node").json())
    kinds = [
        kind
        for kind in deletions(cluster)
        if kind
        in (
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "deployments",
            "services",
        )
    ]
    assert set(kinds[:2]) == {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}
    figure(f"gone in {seconds:.0f} s; {load.figures()}")


def left(cluster: HybridCluster) -> str:
    kinds = cluster.run(
        "kubectl api-resources --verbs=list -o name | grep -v -e events -e componentstatuses"
    ).split()
    selector = "-l app.kubernetes.io/name=hybrid-guard"
    return cluster.run(f"kubectl get -A {','.join(kinds)} {selector} -o name --ignore-not-found")


def deletions(cluster: HybridCluster) -> list[str]:
    """Return the resources that Helm deleted, in order."""
    return [
        event["objectRef"]["resource"] for event in cluster.plane.audit_events()
        if event["verb"] == "delete" and "hybrid-guard" in event["objectRef"].get("name", "")
        and "helm" in event.get("userAgent", "").lower()
    ]  # fmt: skip
