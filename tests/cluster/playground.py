"""`make playground`: a real control plane with the chart installed by Helm, to try things on.

It lives in a network of its own; a door on loopback leads to its API server. Runs until it is
stopped (Ctrl-C or SIGTERM); then everything it started is gone.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import yaml

from tests import debian
from tests.cluster.controlplane import nodes, programs
from tests.cluster.controlplane.processes import ControlPlaneError
from tests.cluster.controlplane.programs import ProgramMissingError
from tests.cluster.installation.cluster import HybridCluster
from tests.image.build import image
from tests.image.commands import ImageError

ROOT = Path(__file__).resolve().parents[2]
POLICY = "examples/policy.yaml"
_CHUNK = 65536

_TRY = """
A real API server with controllers, a scheduler, kube-proxy, {on_prem} on-prem and {cloud} cloud
nodes, and the chart in kube-system, its pods running, with the rules of {policy} (network bgp).

  export KUBECONFIG={kubeconfig}
  alias kubectl={kubectl} helm={helm}

Things to try:
  kubectl get nodes -L alibabacloud.com/external
  kubectl get pods -n kube-system -o wide            # the guard itself
  kubectl create serviceaccount calico-node -n kube-system
  kubectl apply -f examples/calico-bgp.yaml          # pinned: note the warning
  kubectl get pods -n kube-system -o wide            # none of Calico's on a cloud node
  kubectl create namespace batch-core
  kubectl apply -f examples/workloads.yaml           # one pinned, one denied
  kubectl apply -f examples/eni-config.yaml          # denied: no credentials
  kubectl patch ds calico-node -n kube-system --type=json \\
    -p '[{{"op":"remove","path":"/spec/template/spec/affinity"}}]'   # put back at once
  helm uninstall hybrid-guard -n kube-system         # then the README's Install, to see it come up

Stop with Ctrl-C.
"""


class Door:
    """A port on this machine's loopback that leads into the network where the playground is."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def open(self, port: int) -> None:
        """Lead each connection to this port; called from inside, as threads inherit the network."""
        threading.Thread(target=self._serve, args=(port,), daemon=True).start()

    def _serve(self, port: int) -> None:
        while True:
            outside, _ = self._listener.accept()
            with suppress(OSError):
                inside = socket.create_connection(("127.0.0.1", port))
                for pair in ((outside, inside), (inside, outside)):
                    threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def main() -> int:
    """Start it all, print what to try, and wait to be stopped."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        door = Door()
        with HybridCluster(image()) as cluster:
            door.open(cluster.plane.port)
            cluster.helm("install", values=f"-f {_values(cluster.plane.folder)}")
            cluster.until_ready()
            print(
                _TRY.format(
                    on_prem=len(nodes.ON_PREM), cloud=len(nodes.CLOUD), policy=POLICY,
                    kubeconfig=_kubeconfig(cluster, door), kubectl=programs.kubectl(),
                    helm=programs.require("helm")["helm"],
                ),
                flush=True,
            )  # fmt: skip
            _until_stopped(cluster)
    except (ProgramMissingError, ControlPlaneError, debian.MissingError, ImageError) as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("stopped", flush=True)
    return 0


def _until_stopped(cluster: HybridCluster) -> None:
    """Wait for a signal. Raises ControlPlaneError when pods are no longer run."""
    while cluster.runner.error is None:
        time.sleep(1)
    raise ControlPlaneError(f"pods are no longer run: {cluster.runner.error!r}")


def _values(folder: Path) -> Path:
    """Write the example's rules as values of the chart."""
    policy = yaml.safe_load((ROOT / POLICY).read_text())
    values = folder / "values.yaml"
    kept = {key: policy[key] for key in ("rules", "overrides")}
    values.write_text(yaml.safe_dump({"policy": kept}))
    return values


def _kubeconfig(cluster: HybridCluster, door: Door) -> Path:
    """Write a kubeconfig that goes through the door."""
    path = cluster.plane.folder / "playground.kubeconfig"
    path.touch(mode=0o600)
    inside = f"127.0.0.1:{cluster.plane.port}"
    path.write_text(cluster.plane.kubeconfig.read_text().replace(inside, f"127.0.0.1:{door.port}"))
    return path


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
