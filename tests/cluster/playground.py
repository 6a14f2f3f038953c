"""`make playground`: a real control plane with the guard installed, to try things on.

Runs until it is stopped (Ctrl-C or SIGTERM); then everything it started is gone.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

from tests.cluster.controlplane import nodes, programs
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.programs import ProgramMissingError
from tests.serving import Server

ROOT = Path(__file__).resolve().parents[2]
POLICY = "examples/policy.yaml"

_TRY = """
A real API server with controllers, a scheduler, {on_prem} on-prem and {cloud} cloud nodes, and the
guard registered by URL under {policy} (network bgp).

  export KUBECONFIG={kubeconfig}
  alias kubectl={kubectl}

Things to try:
  kubectl get nodes -L alibabacloud.com/external
  kubectl create serviceaccount calico-node -n kube-system
  kubectl apply -f examples/calico-bgp.yaml          # pinned: note the warning
  kubectl get pods -n kube-system -o wide            # none on a cloud node
  kubectl create namespace batch-core
  kubectl apply -f examples/workloads.yaml           # one pinned, one denied
  kubectl apply -f examples/eni-config.yaml          # denied: no credentials
  kubectl patch ds calico-node -n kube-system --type=json \\
    -p '[{{"op":"remove","path":"/spec/template/spec/affinity"}}]'   # put back at once

Stop with Ctrl-C.
"""


def main() -> int:
    """Start it all, print what to try, and wait to be stopped."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        kubectl = programs.kubectl()
        with ControlPlane() as plane, Server("--policy", str(ROOT / POLICY)) as server:
            plane.add_nodes(nodes.HYBRID)
            plane.register_guard(server.url, server.authority.pem)
            print(
                _TRY.format(
                    on_prem=len(nodes.ON_PREM), cloud=len(nodes.CLOUD), policy=POLICY,
                    kubeconfig=plane.kubeconfig, kubectl=kubectl,
                ),
                flush=True,
            )  # fmt: skip
            signal.pause()
    except ProgramMissingError as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("stopped", flush=True)
    return 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
