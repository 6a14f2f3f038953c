"""The image runs as its user: read-only root, no capability, no network but its own loopback."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.image import jail
from tests.image.build import Image
from tests.image.served import ImageServer
from tests.reviews import patch_of, review

ABOUT_ME = """
import json, os
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
def writable(folder):
    try:
        with open(os.path.join(folder, "probe"), "w"):
            return True
    except OSError:
        return False
print(json.dumps({
    "status": {key: status[key].strip() for key in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs")},
    "writable": [folder for folder, _, _ in os.walk("/") if not folder.startswith("/proc") and writable(folder)],
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]],
    "pid": os.getpid(),
}))
"""

IMPORT_EXTENSIONS = """
import importlib, pathlib, sys
for folder in (pathlib.Path(entry) for entry in sys.path if entry.endswith(("lib-dynload", "site-packages"))):
    for file in folder.rglob("*.so"):
        name = ".".join(file.relative_to(folder).parts).split(".cpython-")[0].removesuffix(".abi3.so").removesuffix(".so")
        try:
            importlib.import_module(name)
            print("found", name)
        except ImportError as error:
            print("failed", name, error)
"""


def ran(image: Image, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        jail.command(image, *argv), capture_output=True, text=True, check=False, timeout=120
    )


def test_it_has_no_rights_and_can_write_to_tmp_alone(image: Image) -> None:
    told = json.loads(ran(image, "python", "-c", ABOUT_ME).stdout)

    assert told["pid"] == 1
    assert told["interfaces"] == ["lo"]
    assert told["writable"] == ["/tmp"]  # noqa: S108  # in the image
    assert told["status"] == {
        "Uid": "65532\t65532\t65532\t65532", "Gid": "65532\t65532\t65532\t65532", "Groups": "",
        "CapPrm": "0" * 16, "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "Usage: hybrid-guard"),
        (("hybrid-guard", "--version"), "hybrid-guard 0.1.0"),
        (("hybrid-certs", "--help"), "Usage: hybrid-certs"),
        (("python", "-c", "import time; time.sleep(0); print('slept')"), "slept"),
        (("python", "-c", "import webhook.kube.cluster, certs.kube; print('found')"), "found"),
        (("python3", "-m", "certs", "run", "--help"), "Usage: "),
    ],
    ids=["nothing", "version", "certs", "preStop", "kubernetes", "module"],
)
def test_what_the_chart_starts_is_found(image: Image, argv: tuple[str, ...], said: str) -> None:
    done = ran(image, *argv)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("module", ["pip", "setuptools", "ensurepip", "wheel"])
def test_nothing_can_be_installed(image: Image, module: str) -> None:
    done = ran(image, "python", "-m", module)

    assert done.returncode != 0
    assert f"No module named {module}" in done.stderr


def test_there_is_no_shell_to_call(image: Image) -> None:
    done = ran(image, "python", "-c", "import os; print(os.system('echo hello'))")

    assert done.stdout == f"{127 << 8}\n"


def test_every_extension_module_finds_its_libraries(image: Image) -> None:
    lines = ran(image, "python", "-c", IMPORT_EXTENSIONS).stdout.splitlines()

    assert len([line for line in lines if line.startswith("found")]) > 30
    assert [line for line in lines if line.startswith("failed")] == []


def test_it_answers_a_review_and_ends_in_order(image: Image) -> None:
    calico = {
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}},
    }  # fmt: skip
    with ImageServer(image, "--network", "bgp") as server:
        mutated = server.review("/mutate", review(calico)).json()
        validated = server.review("/validate", review(calico)).json()
        ready = server.request("GET", "/readyz").status
        metrics = server.request("GET", "/metrics").body.decode()
        status = server.stop()

    assert (
        mutated["response"]["uid"]
        == validated["response"]["uid"]
        == "705ab4f5-6393-11e8-b7cc-42010a800002"
    )
    assert "alibabacloud.com/external" in json.dumps(patch_of(mutated))
    assert validated["response"]["allowed"] is False
    assert ready == 200
    assert "hybrid_guard" in metrics
    assert status == 0, "".join(server.text)
