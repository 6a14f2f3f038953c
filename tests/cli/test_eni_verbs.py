"""audit, eni init, ram-policy and crds, as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_cli import run
from tests.conftest import ROOT
from tests.eni.samples import CNI, ID, SECRET, conf, judge
from webhook.eni.fields import CALICO_CRDS

CREDENTIALS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
FLAGS = ("--vswitch", "cn-hangzhou-g=vsw-bp1q7d2m4k9tw3zr8hvnc", "--security-group", "sg-bp1h6t3y8c5nq2wz9dkm",
         "--service-cidr", "172.21.0.0/20")  # fmt: skip


def config_map(data: dict[str, Any], name: str = "eni-config") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def audit(*objects: dict[str, Any], network: str = "bgp") -> tuple[int, list[tuple[str, str]]]:
    text = "---\n".join(yaml.safe_dump(obj) for obj in objects)
    done = run("audit", "--network", network, "--format", "json", "-", stdin=text)
    found = json.loads(done.stdout)["findings"]
    return done.returncode, [(finding["rule"], finding["level"]) for finding in found]


def test_audit_tells_levels_by_its_exit_status(tmp_path: Path) -> None:
    good, bad, warned = (tmp_path / name for name in ("good.yaml", "bad.yaml", "warned.yaml"))
    good.write_text(yaml.safe_dump(config_map(conf())))
    bad.write_text(yaml.safe_dump(config_map(conf(max_pool_size="5"))))
    warned.write_text(yaml.safe_dump(config_map(conf(frobnicate=1))))

    assert run("audit", "--network", "bgp", good).returncode == 0
    assert run("audit", "--network", "bgp", bad).returncode == 1
    assert run("audit", "--network", "bgp", warned).returncode == 0
    assert run("audit", good).returncode == 2
    assert run("audit", "--network", "bgp", tmp_path / "none.yaml").returncode == 3


def test_audit_goes_on_past_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{ not: [yaml")
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(config_map(conf(ip_stack="ipv6"))))

    done = run("audit", "--network", "bgp", tmp_path, tmp_path / "gone")

    assert done.returncode == 3
    assert "ENI060" in done.stdout
    assert f"{tmp_path / 'a.yaml'}:" in done.stderr
    assert f"{tmp_path / 'gone'}: no such file" in done.stderr


def test_the_table_shows_place_excerpt_and_fix(tmp_path: Path) -> None:
    file = tmp_path / "eni.yaml"
    text = '{\n  "ip_stack": "ipv6",\n  "access_secret": "' + SECRET + '"\n}'
    file.write_text(yaml.dump(config_map({"eni_conf": text}), default_style="|"))
    line = next(n for n, row in enumerate(file.read_text().splitlines(), 1) if "ip_stack" in row)

    out = run("audit", "--network", "bgp", file).stdout

    assert f"error    ENI060  ConfigMap/kube-system/eni-config  {file}:{line}:" in out
    assert '"ip_stack": "ipv6",' in out
    assert "fix: write ipv4 or dual" in out
    assert SECRET not in out


def test_json_gives_both_places(tmp_path: Path) -> None:
    file = tmp_path / "eni.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: eni-config, namespace: kube-system}\n"
                    'data:\n  eni_conf: |\n    {\n      "ip_stack": "ipv6"}\n')  # fmt: skip

    done = run("audit", "--network", "bgp", "--format", "json", file)

    finding = next(f for f in json.loads(done.stdout)["findings"] if f["rule"] == "ENI060")
    assert finding["location"] == {
        "file": str(file), "line": 7, "column": 19, "pointer": "/data/eni_conf", "embedded": {"line": 2, "column": 15},
    }  # fmt: skip
    assert finding["object"]["name"] == "eni-config"
    assert finding["fix"]


def test_overrides_are_judged_alone_and_other_config_maps_not_at_all() -> None:
    assert audit(config_map({"eni_conf": "[]"}, "pool-a")) == (1, [("ENI130", "error")])
    assert audit(config_map({"eni_conf": "{}"}, "pool-a")) == (0, [])
    assert audit(config_map({"some": "{"}, "other")) == (0, [])


CALICO = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "calico-node", "namespace": "kube-system"},
          "spec": {"template": {"spec": {"containers": [], "nodeSelector": {"x": "y"}, "affinity": {"nodeAffinity": {
              "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [
                  {"key": "alibabacloud.com/external", "operator": "NotIn", "values": ["true"]}]}]}}}}}}}  # fmt: skip
TERWAY = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "terway-eniip", "namespace": "kube-system"},
          "spec": {"template": {"spec": {"containers": [], "nodeSelector": {"alibabacloud.com/external": "true"}}}}}  # fmt: skip
POLICY_ON = {**conf(), "disable_network_policy": "false"}


def printed_crds() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(run("crds", "print").stdout))


def rules(*objects: dict[str, Any]) -> list[str]:
    return sorted(rule for rule, _ in audit(*objects)[1])


def test_network_policy_needs_its_crds_and_no_calico_beside() -> None:
    crds = printed_crds()
    old = [{**crd, "apiVersion": "apiextensions.k8s.io/v1beta1"} for crd in crds]

    assert rules(config_map(POLICY_ON), TERWAY) == ["ENI123", "HG204"]
    assert rules(config_map(POLICY_ON), TERWAY, *crds) == ["ENI123"]
    assert rules(config_map(POLICY_ON), TERWAY, *crds[:5]) == ["ENI123", "HG204"]
    assert rules(config_map(POLICY_ON), TERWAY, *old) == ["ENI123", "HG204"]
    assert rules(config_map(POLICY_ON), CALICO, *crds) == ["ENI123", "HG205"]
    assert rules(config_map(conf()), TERWAY, CALICO) == []
    assert rules(config_map(POLICY_ON)) == ["ENI123"], "a lone ConfigMap tells nothing of CRDs"


def test_a_crd_that_empties_calicos_objects_is_told() -> None:
    crd = printed_crds()[0]
    crd["spec"]["versions"][0]["schema"] = {
        "openAPIV3Schema": {"type": "object", "properties": {"apiVersion": {"type": "string"}}}
    }

    assert rules(crd, CALICO) == ["HG205"]
    assert rules(crd) == []


def test_crds_are_the_eight_in_v1() -> None:
    crds = printed_crds()

    assert [crd["metadata"]["name"] for crd in crds] == [
        f"{plural}.crd.projectcalico.org" for plural in CALICO_CRDS
    ]
    assert {crd["apiVersion"] for crd in crds} == {"apiextensions.k8s.io/v1"}
    assert [crd["spec"]["scope"] for crd in crds] == ["Cluster"] * 7 + ["Namespaced"]
    assert [crd["spec"]["names"]["kind"] for crd in crds][1] == "BGPConfiguration"


def test_crds_without_a_cluster_exit_with_3(tmp_path: Path) -> None:
    done = run("crds", "print", "--cluster", "--kubeconfig", tmp_path / "none")
    refused = tmp_path / "config"
    refused.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }))  # fmt: skip
    unreachable = run("crds", "print", "--cluster", "--kubeconfig", refused)

    assert (done.returncode, done.stdout) == (3, "")
    assert "no usable kubeconfig" in done.stderr
    assert (unreachable.returncode, unreachable.stdout) == (3, "")
    assert "does not answer" in unreachable.stderr
    assert len(unreachable.stderr.splitlines()) < 8
    assert run("crds", "print", "--kubeconfig", refused).returncode == 2


def test_eni_init_writes_what_every_rule_accepts(tmp_path: Path) -> None:
    out = tmp_path / "eni-config.yaml"
    done = run("eni", "init", *FLAGS, "--cluster-id", "c0a1", "--output", out, **CREDENTIALS)

    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    obj = yaml.safe_load(out.read_text())
    assert (obj["metadata"]["namespace"], obj["metadata"]["name"]) == ("kube-system", "eni-config")
    assert judge(obj["data"]) == ()
    eni_conf = json.loads(obj["data"]["eni_conf"])
    assert (eni_conf["access_key"], eni_conf["access_secret"]) == (ID, SECRET)
    assert eni_conf["vswitches"] == {"cn-hangzhou-g": ["vsw-bp1q7d2m4k9tw3zr8hvnc"]}
    assert json.loads(obj["data"]["10-terway.conf"]) == json.loads(CNI)
    assert obj["data"]["disable_network_policy"] == "true"
    assert "eni_conf: |" in out.read_text()


@pytest.mark.parametrize(
    "text",
    [
        f"AccessKey ID,AccessKey Secret\n{ID},{SECRET}\n",
        f"\ufeffAccessKeyId,AccessKeySecret\r\n{ID},{SECRET}\r\n",
        json.dumps({"RequestId": "x", "AccessKey": {"AccessKeyId": ID, "AccessKeySecret": SECRET, "Status": "Active"}}),
        json.dumps({"AccessKeyId": ID, "AccessKeySecret": SECRET}),
    ],
    ids=["csv", "csv of Windows", "CreateAccessKey", "json"],
)  # fmt: skip
def test_eni_init_reads_the_pair_from_a_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pair"
    file.write_text(text)

    done = run("eni", "init", *FLAGS, "--credentials", file)

    assert done.returncode == 0, done.stderr
    assert json.loads(yaml.safe_load(done.stdout)["data"]["eni_conf"])["access_secret"] == SECRET


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (FLAGS[2:], 2, "missing --vswitch ZONE=ID"),
        ((), 2, "--vswitch ZONE=ID, --security-group ID, --service-cidr CIDR"),
        ((*FLAGS[2:], "--vswitch", "vsw-1"), 2, "ZONE=ID"),
        ((*FLAGS[2:], "--vswitch", "cn-hangzhou=vsw-1"), 2, "ENI042 eni_conf.vswitches.cn-hangzhou: this is a region"),
        ((*FLAGS[:4], "--service-cidr", "10.0.0.0"), 2, "ENI050"),
        ((*FLAGS, "--credentials", "/nowhere/pair"), 3, "no such file"),
        ((*FLAGS, "--credentials", str(ROOT / "README.md")), 2, "no AccessKey pair in it"),
    ],
)  # fmt: skip
def test_eni_init_refuses_and_writes_nothing(
    arguments: tuple[str, ...], code: int, why: str
) -> None:
    done = run("eni", "init", *arguments, **CREDENTIALS)

    assert (done.returncode, done.stdout) == (code, "")
    assert why in done.stderr
    assert SECRET not in done.stderr


def test_eni_init_wants_credentials_and_takes_none_as_an_argument(tmp_path: Path) -> None:
    blank = dict.fromkeys(CREDENTIALS, "")
    taken = tmp_path / "there.yaml"
    taken.write_text("mine")

    assert "no credentials: give --credentials F" in run("eni", "init", *FLAGS, **blank).stderr
    assert "access-key" not in run("eni", "init", "--help").stdout.lower().replace("accesskey", "")
    again = run("eni", "init", *FLAGS, "--output", taken, **CREDENTIALS)
    assert (again.returncode, taken.read_text()) == (2, "mine")


def test_eni_init_asks_on_a_terminal_and_prints_no_credential_there(tmp_path: Path) -> None:
    main, follower = pty.openpty()
    out = tmp_path / "eni.yaml"
    command = [sys.executable, "-m", "webhook", "eni", "init"]
    environ = {**os.environ, **CREDENTIALS}
    with subprocess.Popen([*command, "--output", str(out)], cwd=ROOT, stdin=follower, stdout=follower,
                          stderr=follower, env=environ) as child:  # fmt: skip
        os.write(main, b"cn-hangzhou-g=vsw-1\nsg-1\n10.96.0.0/12\n")
        assert child.wait(60) == 0
    shown = os.read(main, 65536).decode()
    to_terminal = subprocess.run([*command, *FLAGS], cwd=ROOT, stdin=follower, stdout=follower,
                                 stderr=subprocess.PIPE, env=environ, check=False)  # fmt: skip
    os.close(follower)
    os.close(main)

    assert "vSwitches, as ZONE=ID" in shown
    assert SECRET not in shown
    assert (
        json.loads(yaml.safe_load(out.read_text())["data"]["eni_conf"])["security_group"] == "sg-1"
    )
    assert to_terminal.returncode == 2
    assert b"the result holds the credentials" in to_terminal.stderr


def test_ram_policy_check_tells_in_text_and_json(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(run("ram-policy", "print", "--ip-stack", "dual").stdout)
    bad.write_text(
        '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}'
    )

    fine = run("ram-policy", "check", "--ip-stack", "dual", good)
    lacking = run("ram-policy", "check", bad)
    as_json = run("ram-policy", "check", "-o", "json", bad)
    broken = run("ram-policy", "check", "-", stdin='{"Version": "1",}')

    assert fine.returncode == 0
    assert "11 actions needed: 0 lacking" in fine.stdout
    assert lacking.returncode == 1
    assert "missing  vpc:DescribeVSwitches" in lacking.stdout
    assert json.loads(as_json.stdout)["missing"] == ["vpc:DescribeVSwitches"]
    assert json.loads(as_json.stdout)["excess"][0]["action"] == "ecs:*"
    assert broken.returncode == 2
    assert "-:1:17: not JSON: a comma stands before" in broken.stderr
    assert run("ram-policy", "check", tmp_path / "none").returncode == 3
    assert run("ram-policy", "check", "-", stdin="[]").returncode == 2
