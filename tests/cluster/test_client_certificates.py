"""The real API server brings a certificate to the hooks, and `probe` tells that it does."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.pki import Authority, kubeconfig
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.load import write
from tests.serving import Server

PLUGINS = ("MutatingAdmissionWebhook", "ValidatingAdmissionWebhook")


def admission(folder: Path, callers: Authority) -> Path:
    """Write what tells kube-apiserver which certificate to bring to every hook."""
    pair = callers.issue("kube-apiserver", [])
    brings = folder / "brings.yaml"
    brings.write_text(kubeconfig("https://unused", callers.pem, pair))
    entries = [
        {
            "name": name,
            "configuration": {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "WebhookAdmissionConfiguration",
                "kubeConfigFile": str(brings),
            },
        }
        for name in PLUGINS
    ]
    path = folder / "admission.yaml"
    kind = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration"}
    path.write_text(json.dumps({**kind, "plugins": entries}))
    return path


def test_where_one_is_required_the_api_server_that_brings_it_is_answered(tmp_path: Path) -> None:
    require_programs()
    callers = Authority()
    (tmp_path / "callers.pem").write_bytes(callers.pem)
    flag = f"--admission-control-config-file={admission(tmp_path, callers)}"
    with (
        Server("--network", "bgp", "--client-ca", str(tmp_path / "callers.pem")) as server,
        ControlPlane(
            controllers=False, scheduler=False, kwok=False, apiserver_flags=[flag]
        ) as plane,
    ):
        plane.register_guard(server.url, server.authority.pem, failure_policy="Fail")

        assert write(plane) == ""
        assert server.request("GET", "/version").json()["clientCertificate"]["seen"] is True
        assert server.review("/mutate", {}).status == 401
