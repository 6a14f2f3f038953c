"""Reading a real API server: page by page, with kinds, and what is refused has its status."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster.controlplane.plane import ControlPlane
from webhook.kube.cluster import Cluster, ClusterError

SECRETS = "/api/v1/namespaces/default/secrets"


def test_lists_are_read_page_by_page_and_objects_know_their_kind(api_server: ControlPlane) -> None:
    names = [f"page-{number}" for number in range(7)]
    api_server.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": n, "labels": {"of": "pages"}},
            }
            for n in names
        ]
    )
    cluster = Cluster(api_server.kubeconfig)

    found = list(cluster.list(SECRETS, page=3, labelSelector="of=pages"))

    assert [item["metadata"]["name"] for item in found] == names
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "Secret")}
    assert list(cluster.list(SECRETS, labelSelector="of=nothing")) == []
    assert cluster.get(f"{SECRETS}/page-3")["kind"] == "Secret"


def test_a_refusal_has_its_status(api_server: ControlPlane) -> None:
    nobody = Cluster(api_server.client("nobody").kubeconfig)

    for cluster, path, status in (
        (nobody, SECRETS, 403),
        (Cluster(api_server.kubeconfig), "/apis/crd.projectcalico.org/v1/nothings", 404),
    ):
        with pytest.raises(ClusterError, match=f"the API server refuses: {status}") as refused:
            next(cluster.list(path))
        assert refused.value.status == status


def test_a_context_is_picked_by_name(api_server: ControlPlane, tmp_path: Path) -> None:
    config = yaml.safe_load(api_server.kubeconfig.read_text())
    config["clusters"].append({"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}})
    user = config["contexts"][0]["context"]["user"]
    live = config["current-context"]
    config["contexts"].append({"name": "dead", "context": {"cluster": "dead", "user": user}})
    config["current-context"] = "dead"
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))

    assert Cluster(file, live).get("/version")["major"] == "1"
    with pytest.raises(ClusterError, match="does not answer"):
        Cluster(file).get("/version")
    with pytest.raises(ClusterError, match="no usable kubeconfig"):
        Cluster(file, "no-such-context")


def test_a_list_goes_on_when_its_snapshot_is_gone(control_plane_programs: None) -> None:
    del control_plane_programs
    flags = ("--watch-cache=false",)  # whose snapshots outlive those of etcd
    names = [f"snapshot-{number}" for number in range(7)]
    with ControlPlane(
        controllers=False, scheduler=False, kwok=False, apiserver_flags=flags
    ) as plane:
        plane.apply(
            [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}} for name in names]
        )
        totals: list[int] = []
        found = Cluster(plane.kubeconfig).list(SECRETS, page=3, left=totals.append)
        first = [next(found)["metadata"]["name"] for _ in range(3)]
        token = plane.raw("GET", f"{SECRETS}?limit=3").json()["metadata"]["continue"]
        plane.raw("DELETE", f"{SECRETS}/snapshot-6")
        plane.compact()

        assert plane.raw("GET", f"{SECRETS}?limit=3&continue={token}").status == 410
        assert first + [item["metadata"]["name"] for item in found] == names[:6]
        assert totals == [7, 3]
