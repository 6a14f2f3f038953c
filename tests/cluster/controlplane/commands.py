"""What each program is told: its flags, and the files that these name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.controlplane import pki
from tests.cluster.controlplane.nodes import ON_PREM
from tests.cluster.controlplane.pki import Authority

STAGES = Path(__file__).resolve().with_name("stages.yaml")
QUICK = ("--kube-api-qps=500", "--kube-api-burst=1000")
"""The defaults keep a real API server from being flooded; here they only make tests wait."""
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # in a network that nobody else is in
SERVICE_RANGE = "10.0.0.0/24"
API_SERVICE = "10.0.0.1"
"""The `kubernetes` Service gets the first address of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where one control plane keeps its files and listens.

    `address` is where pods reach the API server: loopback where there are none that run.
    """

    folder: Path
    etcd_port: int
    peer_port: int
    port: int
    address: str = LOOPBACK

    @property
    def audit_policy(self) -> Path:
        """The audit policy that kube-apiserver reads."""
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """The audit log that kube-apiserver writes, one JSON document a line."""
        return self.folder / "audit.log"

    def path(self, name: str) -> Path:
        """Return the path of a file in the folder."""
        return self.folder / name


def write_secrets(layout: Layout, authority: Authority, audit_level: str | None) -> None:
    """Write the certificates, the token key and the audit policy that the flags below name."""
    layout.path("ca.crt").write_bytes(authority.pem)
    hosts = [LOOPBACK, "localhost", "kubernetes.default.svc", API_SERVICE, layout.address]
    authority.issue("kube-apiserver", hosts=hosts).write(layout.folder, "server")
    layout.path("tokens.key").touch(mode=0o600)
    layout.path("tokens.key").write_bytes(pki.signing_key())
    if audit_level is not None:
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": audit_level}],
        }
        layout.audit_policy.write_text(json.dumps(policy))
        layout.audit_log.touch(mode=0o600)


def etcd(layout: Layout) -> list[str]:
    """Return etcd's flags: one member, nothing synced to disk."""
    client = f"http://127.0.0.1:{layout.etcd_port}"
    peer = f"http://127.0.0.1:{layout.peer_port}"
    return [
        f"--data-dir={layout.path('etcd')}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--socket-reuse-port",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def apiserver(layout: Layout, *, controllers: bool, audit: bool) -> list[str]:
    """Return kube-apiserver's flags.

    Without a controller manager nobody makes service accounts or takes the first taint off a
    node, so the two admission plugins that count on it are off then.
    """
    flags = [
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        f"--bind-address={LOOPBACK if layout.address == LOOPBACK else EVERYWHERE}",
        f"--advertise-address={layout.address}",
        f"--secure-port={layout.port}",
        "--permit-port-sharing",
        f"--tls-cert-file={layout.path('server.crt')}",
        f"--tls-private-key-file={layout.path('server.key')}",
        f"--client-ca-file={layout.path('ca.crt')}",
        f"--service-account-key-file={layout.path('tokens.key')}",
        f"--service-account-signing-key-file={layout.path('tokens.key')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
    ]
    if layout.address == LOOPBACK:  # which no endpoint may have
        flags.append("--endpoint-reconciler-type=none")
    if not controllers:
        flags.append("--disable-admission-plugins=ServiceAccount,TaintNodesByCondition")
    if audit:
        flags.append(f"--audit-policy-file={layout.audit_policy}")
        flags.append(f"--audit-log-path={layout.audit_log}")
    return flags


def controller_manager(layout: Layout, kubeconfig: Path) -> list[str]:
    """Return kube-controller-manager's flags: each controller writes as its own account.

    Nodes get 5 minutes of silence, not 50 s, so that a machine that stalls does not turn them all
    not-ready in the middle of a test.
    """
    return [
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={layout.path('tokens.key')}",
        f"--root-ca-file={layout.path('ca.crt')}",
        "--use-service-account-credentials",
        "--node-monitor-grace-period=5m",
        "--leader-elect=false",
        "--secure-port=0",
        *QUICK,
    ]


def scheduler(_layout: Layout, kubeconfig: Path) -> list[str]:
    """Return kube-scheduler's flags."""
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", *QUICK]


def proxy(_layout: Layout, kubeconfig: Path) -> list[str]:
    """Return kube-proxy's flags: it plays the first on-prem node, where the API server is."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={ON_PREM[0].name}",
        "--proxy-mode=nftables",
        "--conntrack-max-per-core=0",
    ]


def kwok(_layout: Layout, kubeconfig: Path) -> list[str]:
    """Return kwok's flags: it plays the kubelet of every node, and listens nowhere.

    Without the lease's duration it renews none, and the node controller gives up on every node
    after its grace period.
    """
    return [
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        "--node-ip=192.0.2.1",
        "--cidr=10.244.0.0/16",
        f"--config={STAGES}",
    ]
