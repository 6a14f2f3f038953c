"""`make playground`, used from outside its network as its text says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cluster.conftest import require_installation
from tests.cluster.controlplane import programs
from tests.conftest import ROOT


@pytest.fixture
def playground() -> Iterator[tuple[subprocess.Popen[str], str]]:
    require_installation()
    command = [sys.executable, "-m", "tests.cluster.playground"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if line.startswith("Stop with"):
                break
        try:
            yield child, "".join(lines)
        finally:
            child.terminate()


def test_what_it_prints_works(playground: tuple[subprocess.Popen[str], str]) -> None:
    child, text = playground
    found = re.search(r"export KUBECONFIG=(\S+)", text)
    assert found, text
    kubeconfig = found[1]

    def kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs.kubectl(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
            env={"KUBECONFIG": kubeconfig, "HOME": os.path.dirname(kubeconfig)},  # noqa: PTH120
        )  # fmt: skip

    kubectl("create", "serviceaccount", "calico-node", "-n", "kube-system")
    pinned = kubectl("apply", "-f", "examples/calico-bgp.yaml")
    assert pinned.returncode == 0, pinned.stderr
    assert "Warning: HG101" in pinned.stderr
    refused = kubectl("apply", "-f", "examples/eni-config.yaml")
    assert refused.returncode == 1
    assert "ENI020 eni_conf.access_key" in refused.stderr
    kubectl("create", "namespace", "batch-core")
    assert "HG103" in kubectl("apply", "-f", "examples/workloads.yaml").stderr

    child.terminate()
    assert child.wait(60) == 0
    assert not os.path.exists(kubeconfig)  # noqa: PTH110
