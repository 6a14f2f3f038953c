"""The Calico CRDs against the real API server: accepted, spec kept, nothing overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import yaml

from tests.cluster.controlplane.plane import ControlPlane
from tests.conftest import ROOT

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def crds(plane: ControlPlane | None = None) -> tuple[str, str]:
    arguments = ["--cluster", "--kubeconfig", str(plane.kubeconfig)] if plane else []
    done = subprocess.run(
        [sys.executable, "-m", "webhook", "crds", "print", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    return done.stdout, done.stderr


def established(plane: ControlPlane, name: str) -> bool:
    conditions = plane.raw("GET", f"{PATH}/{name}").json().get("status", {}).get("conditions", ())
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def test_the_crds_are_accepted_keep_specs_and_only_missing_ones_are_printed(
    api_server: ControlPlane,
) -> None:
    # An existing Calico's CRD, with a schema of its own, that must stay as it is.
    own: dict[str, Any] = next(yaml.safe_load_all(crds()[0]))
    own["metadata"]["annotations"] = {"whose": "calico"}
    assert api_server.raw("POST", PATH, own).status == 201

    text, told = crds(api_server)
    names = [crd["metadata"]["name"] for crd in yaml.safe_load_all(text)]
    api_server.kubectl("apply", "-f", "-", stdin=text)

    assert len(names) == 7
    assert own["metadata"]["name"] not in names
    assert "7 of 8 are missing" in told
    for name in names:
        api_server.until(lambda name=name: established(api_server, name), f"{name} to be served")  # type: ignore[misc]
    kept = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "IPPool",
        "metadata": {"name": "p"},
        "spec": {"cidr": "10.0.0.0/8"},
    }
    path = "/apis/crd.projectcalico.org/v1/ippools"
    assert api_server.raw("POST", path, kept).status == 201
    assert api_server.raw("GET", f"{path}/p").json()["spec"] == {"cidr": "10.0.0.0/8"}
    assert crds(api_server) == ("", "nothing is missing: the cluster has all eight\n")
    stored = api_server.raw("GET", f"{PATH}/{own['metadata']['name']}").json()
    assert stored["metadata"]["annotations"] == {"whose": "calico"}
    for name in (*names, own["metadata"]["name"]):
        assert api_server.raw("DELETE", f"{PATH}/{name}").status == 200


def test_the_vendors_v1beta1_is_refused(api_server: ControlPlane) -> None:
    old = crds()[0].replace("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1")

    done = api_server.kubectl("apply", "-f", "-", stdin=old, check=False)

    assert done.returncode == 1
    assert 'no matches for kind "CustomResourceDefinition"' in done.stderr
