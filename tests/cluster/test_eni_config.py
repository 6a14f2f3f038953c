"""eni-config against the real API server, with kubectl: every sample, both steps, deletions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT, shared_path
from tests.eni.samples import CNI, ID, SECRET, conf
from tests.serving import Server

CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
CONSOLE = "system:serviceaccount:kube-system:console"
MASTERS = ("system:masters",)
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
eniConfig: {credentials: %s, installers: [%s]}
"""


@dataclass(frozen=True)
class Sample:
    """A line of index.tsv."""

    file: str
    expect: str
    findings: tuple[str, ...]


def samples() -> list[Sample]:
    index = shared_path("corpus", "eni-config", "index.tsv")
    with index.open() as lines:
        return [
            Sample(row["file"], row["expect"], _findings(row["findings"] or ""))
            for row in csv.DictReader(lines, delimiter="\t")
        ]


def _findings(text: str) -> tuple[str, ...]:
    """`ENI020 a, b; ENI008 c (why)`: each rule with its first path."""
    parts = (part.strip().partition(" (")[0] for part in text.split(";") if part.strip())
    return tuple(part.partition(",")[0] for part in parts)


@pytest.fixture(scope="module")
def audited() -> Iterator[ControlPlane]:
    """An API server of its own, with an audit log."""
    require_programs()
    with ControlPlane(
        controllers=False, scheduler=False, kwok=False, audit_level="Metadata"
    ) as started:
        yield started


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start servers by their mode and installers, each once."""
    servers: dict[tuple[str, str], Server] = {}

    def start(mode: str = "inline", installers: str = "") -> Server:
        if (mode, installers) not in servers:
            file = tmp_path_factory.mktemp("policy") / "policy.yaml"
            file.write_text(POLICY % (mode, installers))
            servers[mode, installers] = Server("--policy", str(file)).__enter__()
        return servers[mode, installers]

    yield start
    for server in servers.values():
        server.__exit__()


@pytest.fixture
def guarded(audited: ControlPlane, serve: Any) -> Iterator[ControlPlane]:
    server = serve()
    audited.register_guard(server.url, server.authority.pem)
    yield audited
    audited.unregister_guard()
    clear(audited)


def config_map(data: dict[str, Any], name: str = "eni-config") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def clear(plane: ControlPlane) -> None:
    """Take away what a test created, while no guard watches."""
    for item in plane.raw("GET", CONFIG_MAPS).json()["items"]:
        if item["metadata"]["name"].startswith("eni-config"):
            plane.raw("DELETE", f"{CONFIG_MAPS}/{item['metadata']['name']}")


def allow_and_delete(plane: ControlPlane, name: str) -> None:
    note = {"metadata": {"annotations": {"hybrid-guard.io/allow-delete": "true"}}}
    path = f"{CONFIG_MAPS}/{name}"
    plane.raw("PATCH", path, note, "application/merge-patch+json")
    plane.raw("DELETE", path)


def verdict(code: int, told: str) -> str:
    if code:
        return "deny"
    return "allow+warn" if "Warning: ENI" in told else "allow"


def check(sample: Sample, code: int, told: str) -> None:
    assert verdict(code, told) == sample.expect, told
    if sample.findings == ("ENI014 data.disable_network_policy",):
        assert "cannot unmarshal bool into Go struct field ConfigMap.data of type string" in told
        return
    for finding in sample.findings:
        assert f"{finding}: " in told, told
    assert SECRET not in told
    assert len(told.splitlines()) <= 14


def test_every_sample_is_created_as_the_index_says(guarded: ControlPlane) -> None:
    for sample in samples():
        file = shared_path("corpus", "eni-config", sample.file)
        done = guarded.kubectl("create", "-f", str(file), check=False)
        check(sample, done.returncode, done.stderr)
        if done.returncode == 0:
            name = yaml.safe_load(file.read_text())["metadata"]["name"]
            allow_and_delete(guarded, name)


def test_every_sample_is_updated_to_as_the_index_says(guarded: ControlPlane) -> None:
    base = config_map(conf(resource_group_id="rg-base"))
    override = config_map({"eni_conf": '{"max_eni": 2}'}, "eni-config-cloud-pool-a")
    for obj in (base, override):
        assert guarded.raw("POST", CONFIG_MAPS, obj).status == 201
    for sample in samples():
        file = shared_path("corpus", "eni-config", sample.file)
        done = guarded.kubectl("replace", "-f", str(file), check=False)
        check(sample, done.returncode, done.stderr)
        for obj in (base, override):
            path = f"{CONFIG_MAPS}/{obj['metadata']['name']}"
            assert guarded.raw("PUT", path, obj).status == 200


def vendor(**fields: Any) -> dict[str, Any]:
    """What the console writes for a registered cluster, every value rendered."""
    eni_conf = {
        "version": "1", "max_pool_size": 5, "min_pool_size": 0,
        "vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]},
        "eni_tags": {"ack.aliyun.com": "c0a1b2c3d4e5"}, "service_cidr": "172.21.0.0/20",
        "security_group": "sg-bp1h6t3y8c5nq2wz9dkm", "access_key": "", "access_secret": "",
        "vswitch_selection_policy": "ordered", **fields,
    }  # fmt: skip
    return config_map({"eni_conf": json.dumps(eni_conf, indent=1), "10-terway.conf": CNI})


def write(plane: ControlPlane, obj: dict[str, Any], user: str, method: str = "POST") -> Answer:
    path = CONFIG_MAPS if method == "POST" else f"{CONFIG_MAPS}/eni-config"
    return plane.raw(method, path, obj, user=user, groups=MASTERS)


def test_the_vendors_two_steps_need_an_installer(audited: ControlPlane, serve: Any) -> None:
    blank, filled = vendor(), vendor(access_key=ID, access_secret=SECRET)
    more_but_blank = vendor(max_pool_size=8)
    for installers in ("", CONSOLE):
        server = serve("inline", installers)
        audited.register_guard(server.url, server.authority.pem)
        created = write(audited, blank, CONSOLE)
        if not installers:
            assert created.status == 403
            assert "ENI020 eni_conf.access_key" in created.json()["message"]
        else:
            assert created.status == 201
            assert created.warnings[0].startswith("ENI020 eni_conf.access_key: ")
            assert write(audited, more_but_blank, CONSOLE, "PUT").status == 200
            assert write(audited, blank, "somebody", "PUT").status == 403
            second = write(audited, filled, "somebody", "PUT")
            assert (second.status, second.warnings) == (200, ())
            assert write(audited, blank, CONSOLE, "PUT").status == 403, "filled in, it stays so"
        audited.unregister_guard()
    clear(audited)


def test_the_three_modes_of_credentials(audited: ControlPlane, serve: Any) -> None:
    expected = {
        "inline": (403, "ENI020"), "secret-or-inline": (201, "ENI020"), "off": (201, ""),
    }  # fmt: skip
    for mode, (status, rule) in expected.items():
        server = serve(mode)
        audited.register_guard(server.url, server.authority.pem)
        blank = write(audited, vendor(), "somebody")
        assert blank.status == status, mode
        told = blank.json().get("message", "") + " ".join(blank.warnings)
        assert ("ENI020" in told) == bool(rule), mode
        half = write(audited, vendor(access_key=ID), "somebody", "PUT")
        assert half.status in ({403, 404} if mode == "inline" else {403 if rule else 200})
        audited.unregister_guard()
        clear(audited)


def test_a_deletion_needs_the_annotation_and_the_message_gives_the_command(
    guarded: ControlPlane,
) -> None:
    for name in ("eni-config", "eni-config-pool"):
        data = conf() if name == "eni-config" else {"eni_conf": "{}"}
        assert guarded.raw("POST", CONFIG_MAPS, config_map(data, name)).status == 201

    denied = guarded.kubectl("-n", "kube-system", "delete", "cm", "eni-config", check=False)
    collection = guarded.raw("DELETE", f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Deni-config")
    plain = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "plain", "labels": {"a": "b"}},
    }
    assert guarded.raw("POST", CONFIG_MAPS, plain).status == 201
    foreign = guarded.raw("DELETE", f"{CONFIG_MAPS}?labelSelector=a%3Db")
    override = guarded.kubectl("-n", "kube-system", "delete", "cm", "eni-config-pool")
    dry = guarded.raw("DELETE", f"{CONFIG_MAPS}/eni-config?dryRun=All")

    assert denied.returncode == 1
    assert "ENI140 metadata.name: terwayd cannot start without" in denied.stderr
    command = (
        "kubectl annotate -n kube-system configmap eni-config hybrid-guard.io/allow-delete=true"
    )
    assert command in denied.stderr
    assert collection.status == 403
    assert "ENI140" in collection.json()["message"]
    assert foreign.status == 200, "a collection of other ConfigMaps goes"
    assert override.returncode == 0
    assert dry.status == 403
    guarded.kubectl(*command.split()[1:])
    assert guarded.kubectl("-n", "kube-system", "delete", "cm", "eni-config").returncode == 0


def test_the_namespace_controller_may_delete_it(guarded: ControlPlane) -> None:
    assert guarded.raw("POST", CONFIG_MAPS, config_map(conf())).status == 201
    who = "system:serviceaccount:kube-system:namespace-controller"

    gone = guarded.raw("DELETE", f"{CONFIG_MAPS}/eni-config", user=who, groups=MASTERS)

    assert gone.status == 200


def test_a_label_on_a_broken_config_map_passes(audited: ControlPlane, serve: Any) -> None:
    broken = config_map({"eni_conf": "{", "10-terway.conf": CNI})
    assert audited.raw("POST", CONFIG_MAPS, broken).status == 201
    server = serve()
    audited.register_guard(server.url, server.authority.pem)
    path, merge = f"{CONFIG_MAPS}/eni-config", "application/merge-patch+json"

    label = audited.raw("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, merge)
    data = audited.raw("PATCH", path, {"data": {"felix_relay_service": "x"}}, merge)
    dry = audited.raw("PATCH", f"{path}?dryRun=All", {"data": {"x": "y"}}, merge)
    audited.unregister_guard()
    clear(audited)

    assert (label.status, label.warnings) == (200, ())
    assert data.status == 403
    assert dry.status == 403


def test_the_example_is_what_the_readme_says_it_is(guarded: ControlPlane) -> None:
    example = ROOT / "examples" / "eni-config.yaml"
    done = guarded.kubectl("create", "-f", str(example), check=False)

    assert done.returncode == 1
    assert "ENI020 eni_conf.access_key" in done.stderr


def canary_documents() -> list[dict[str, Any]]:
    """Config maps with the two credentials at every place they may stand."""
    return [
        config_map(conf(access_key="")),
        config_map(conf(access_key=SECRET, access_secret=ID)),
        config_map({**conf(), "access_key": ID}),
        config_map({**conf(), "eni_conf": conf()["eni_conf"].replace('",', '"', 1)}),
        config_map({**conf(), "disable_network_policy": SECRET}),
        config_map(conf(security_group=SECRET, ip_stack=ID, ipam_type=SECRET)),
        config_map(conf(**{SECRET: ID, ID: SECRET})),
        config_map(conf()),
    ]


def test_no_credential_reaches_kubectl_or_the_audit_log(
    guarded: ControlPlane, tmp_path: Path
) -> None:
    file = tmp_path / "eni-config.json"
    for obj in canary_documents():
        file.write_text(json.dumps(obj))
        for verb in ("create", "replace", "apply"):
            done = guarded.kubectl(verb, "-f", str(file), check=False)
            # What stands before "denied" is kubectl's own: a failed apply prints its patch.
            ours = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
            ours.append(done.stderr.partition("denied the request: ")[2])
            told = "\n".join(ours) if verb == "apply" else done.stdout + done.stderr
            assert SECRET not in told
            assert ID not in told
    told = json.dumps(guarded.audit_events())
    assert "eni-config" in told
    assert SECRET not in told
    assert ID not in told
