"""`hybrid-guard detect` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests import kubeconfigs
from tests.cli.test_cli import CALICO, EXAMPLES, run
from tests.detect.objects import container, daemonset, pool

FLANNEL = EXAMPLES / "flannel-vxlan.yaml"


def test_json_has_the_documented_shape() -> None:
    document = json.loads(run("detect", "-o", "json", FLANNEL).stdout)

    assert document["network"] == "overlay"
    assert document["daemonsets"] == [
        {
            "file": str(FLANNEL),
            "namespace": "kube-flannel",
            "name": "kube-flannel-ds",
            "addon": "flannel",
            "mode": "overlay",
            "evidence": ["ConfigMap kube-flannel-cfg, net-conf.json: Backend.Type vxlan"],
        }
    ]
    assert document["look"] == []


def test_what_cannot_be_told_is_null_and_says_where_to_look() -> None:
    done = run("detect", "-o", "json", EXAMPLES / "cilium.yaml")
    document = json.loads(done.stdout)

    assert (done.returncode, document["network"]) == (0, None)
    assert document["daemonsets"][0]["mode"] == "unknown"
    assert document["look"] == ["kubectl -n kube-system get configmap cilium-config -o yaml"]


def test_text_shows_place_reasons_and_what_to_write(tmp_path: Path) -> None:
    pools = tmp_path / "pools.yaml"
    pools.write_text(yaml.safe_dump(pool(ipipMode="CrossSubnet")))

    hint = run("detect", CALICO).stdout
    told = run("detect", CALICO, pools).stdout

    assert hint.startswith("network  bgp\n  because  calico: bgp\n")
    assert f"DaemonSet/kube-system/calico-node  {CALICO}:12\n  mode     bgp (calico)\n" in hint
    assert "counts only while there is no IPPool" in hint
    assert hint.endswith("write `network: bgp` into the policy, or give --network bgp\n")
    assert told.startswith("network  overlay\n  because  calico: overlay-crosssubnet\n")
    assert "against: within a subnet nothing is encapsulated" in told
    assert "\x1b[" not in told


def test_standard_input_and_lists_are_read() -> None:
    listed = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [daemonset("weave-net", container("weave"))],
    }

    assert run("detect", stdin=json.dumps(listed)).stdout.startswith("network  overlay\n")


def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\nb: 2\n")
    done = run("detect", broken, FLANNEL)
    missing = run("detect", FLANNEL, "nowhere.yaml")

    assert (done.returncode, missing.returncode) == (2, 3)
    assert "broken.yaml:2:2: not YAML" in done.stderr
    assert "nowhere.yaml: no such file" in missing.stderr
    assert done.stdout.startswith("network  overlay\n")
    assert missing.stdout.startswith("network  overlay\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--cluster", "x.yaml"], 2, "give files or --cluster, not both"),
        (["--kubeconfig", "x", "x.yaml"], 2, "are for --cluster"),
        (["--context", "x", "x.yaml"], 2, "are for --cluster"),
        (["--cluster", "--kubeconfig", "/nowhere"], 3, "no usable kubeconfig"),
        (["-o", "xml"], 2, "xml"),
    ],
)
def test_usage(arguments: list[str], status: int, message: str) -> None:
    done = run("detect", *arguments)

    assert done.returncode == status
    assert message in done.stderr


@pytest.mark.parametrize("text", kubeconfigs.ODD.values(), ids=kubeconfigs.ODD)
def test_an_odd_kubeconfig_is_two_lines_that_quote_nothing_of_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)

    done = run("detect", "--cluster", "--kubeconfig", str(file))

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert kubeconfigs.SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("text", kubeconfigs.NONE.values(), ids=kubeconfigs.NONE)
def test_what_is_no_kubeconfig_is_said_in_two_lines(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)

    done = run("detect", "--cluster", "--kubeconfig", str(file))

    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 2
    assert "no usable kubeconfig: " in done.stderr
    assert "object" not in done.stderr
