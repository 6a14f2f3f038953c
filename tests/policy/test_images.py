"""Images that a cloud node cannot pull: by the registry's name, where the workload may run there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.conftest import shared_path
from webhook.audit.origin import Live
from webhook.audit.run import Audit
from webhook.placement.model import CloudNodes, Side
from webhook.policy import parse
from webhook.policy.evaluate import evaluate
from webhook.policy.registries import hindrance
from webhook.policy.words import Network
from webhook.workloads import read

PRIVATE = "a private address"
BARE = "a name without a domain"
UNKNOWN = "a name that no public DNS has"
TEMPLATE = "a template that was not rendered"
NAMES = {
    # Docker Hub, however it is written.
    "nginx": None,
    "nginx:1.27": None,
    "library/nginx@sha256:abc": None,
    "corp/app:5000": None,
    "harbor/team/app": None,
    "docker.io/calico/node:v3.30.0": None,
    # Registries that everybody reaches, and those that may need a login or a way.
    "quay.io/cilium/cilium:v1.18.6": None,
    "registry.cn-hangzhou.aliyuncs.com/acs/terway:v1.10": None,
    "registry-vpc.cn-hangzhou.aliyuncs.com/acs/terway": None,
    "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.19": None,
    "registry.corp-example.com:8443/app": None,
    "8.8.8.8:5000/app": None,
    "[2001:4860:4860::8888]:5000/app": None,
    "172.15.0.1/app": None,
    "172.32.0.1/app": None,
    "100.63.0.1/app": None,
    "corporate/app": None,
    "mylocal/app": None,
    "local.example.com/app": None,
    # Addresses of private networks.
    "10.0.0.5:5000/calico/node:v3.30.0": PRIVATE,
    "172.16.0.1/app": PRIVATE,
    "172.31.255.255:443/app": PRIVATE,
    "192.168.1.1/app@sha256:abc": PRIVATE,
    "127.0.0.1:5000/app": PRIVATE,
    "169.254.1.1/app": PRIVATE,
    "100.64.0.1/app": PRIVATE,
    "[::1]:5000/app": PRIVATE,
    "[fd00::1]:5000/app": PRIVATE,
    "[fe80::1]/app": PRIVATE,
    # Names of the house.
    "localhost/app": "the node itself",
    "localhost:5000/k8snetworkplumbingwg/multus-cni:e2e": "the node itself",
    "harbor:5000/app": BARE,
    "harbor.local/app": UNKNOWN,
    "HARBOR.CORP/app": UNKNOWN,
    "registry.corp.example:5000/app": UNKNOWN,
    "r.lan/a": UNKNOWN,
    "r.intranet/a": UNKNOWN,
    "r.internal/a": UNKNOWN,
    "r.home.arpa/a": UNKNOWN,
    "registry.kube-system.svc:5000/a": UNKNOWN,
    "registry.kube-system.svc.cluster.local./a": UNKNOWN,
    # No image at all.
    "": "it is empty",
    "{{ .Values.image }}": TEMPLATE,
    "$REGISTRY/kube-ovn:v1.12": TEMPLATE,
    "${REGISTRY}/kube-ovn": TEMPLATE,
    "__IMAGE__": TEMPLATE,
    "quay.io/__TAG__/x": TEMPLATE,
    "a__b/c": None,
}  # fmt: skip


@pytest.mark.parametrize("image", NAMES)
def test_a_registry_is_judged_by_its_name(image: str) -> None:
    assert hindrance(image) == NAMES[image]


ON_PREM = CloudNodes().expression(Side.ON_PREM)


def workload(
    *images: Any, name: str = "app", kind: str = "Deployment", **spec: Any
) -> dict[str, Any]:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": containers, **spec}}}}  # fmt: skip


def flannel(*images: Any, **spec: Any) -> dict[str, Any]:
    return workload(*images, name="kube-flannel-ds", kind="DaemonSet", **spec)


def pinned(side: Side) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [CloudNodes().expression(side)]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


LAN = "10.0.0.5:5000/flannel:v0.27.4"
CASES = {
    "an overlay's agent": (flannel(LAN), Network.OVERLAY, True, True),
    "the same, kept on-prem by itself": (flannel(LAN, affinity=pinned(Side.ON_PREM)), Network.OVERLAY, False, False),
    "the same, in the bgp network, where it stays on-prem": (flannel(LAN), Network.BGP, False, False),
    "an init container": (flannel("quay.io/flannel", initContainers=[{"name": "i", "image": LAN}]), Network.OVERLAY, True, True),
    "public images": (flannel("ghcr.io/flannel-io/flannel:v0.27.4"), Network.OVERLAY, False, False),
    "Terway": (workload(LAN, name="terway-eniip", kind="DaemonSet"), Network.BGP, True, True),
    "a workload nobody names": (workload(LAN), Network.BGP, False, True),
    "the same, on the cloud's side": (workload(LAN, affinity=pinned(Side.CLOUD)), Network.BGP, False, True),
    "the same, on its own side": (workload(LAN, affinity=pinned(Side.ON_PREM)), Network.BGP, False, False),
    "a node of its own": (workload(LAN, nodeSelector={"alibabacloud.com/external": "false"}), Network.BGP, False, False),
    "odd containers": (workload(1, None, [], containers="x"), Network.BGP, False, False),
    "an odd affinity": (workload(LAN, affinity="x"), Network.BGP, False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_where_the_workload_may_run_in_the_cloud(name: str) -> None:
    obj, network, at_admission, in_audits = CASES[name]
    policy = parse.for_network(network)
    found = read(obj, policy.kinds)
    assert found is not None
    audit = Audit(policy)
    audit.judge(obj, Live())

    verdict = [one.rule for one in evaluate(found, policy).findings]
    audited = [one.rule for one in audit.report.findings]
    assert ("HG110" in verdict, "HG110" in audited) == (at_admission, in_audits)
    assert audited.count("HG110") <= 1


def test_a_workload_gets_one_finding_at_its_first_image() -> None:
    audit = Audit(parse.for_network(Network.BGP))
    audit.judge(workload("nginx", LAN, "harbor:5000/x"), Live())
    (finding,) = audit.report.findings

    assert (
        finding.message
        == f"cloud nodes, where it may run, cannot pull {LAN} and 1 more: a private address"
    )
    assert finding.location.pointer == "/spec/template/spec/containers/1/image"
    assert finding.level == "warning"


def test_real_add_ons_pull_from_public_registries_except_where_they_do_not() -> None:
    told = set()
    for path in sorted(shared_path("corpus", "cni").rglob("*.yaml")):
        audit = Audit(parse.for_network(Network.OVERLAY))
        for obj in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
            if obj:
                audit.judge(obj, Live())
        told |= {path.name for one in audit.report.findings if one.rule == "HG110"}

    assert all("e2e" in name or "REGISTRY" in name for name in told), told
