"""What detection says: the mode of each DaemonSet, the network they make, and why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.findings import Location, ObjectRef
from webhook.placement.model import Sides
from webhook.policy.words import Network


class Mode(enum.StrEnum):
    """How a DaemonSet moves packets between nodes."""

    OVERLAY = "overlay"
    CROSS_SUBNET = "overlay-crosssubnet"
    BGP = "bgp"
    NATIVE = "native"
    HOST_GW = "host-gw"
    HOST = "host"
    CLOUD = "cloud"
    POLICY_ONLY = "policy-only"
    NONE = "none"
    UNKNOWN = "unknown"


# Encapsulation between subnets reaches a cloud node; what is routed does not.
NETWORKS: dict[Mode, Network] = {
    Mode.OVERLAY: Network.OVERLAY,
    Mode.CROSS_SUBNET: Network.OVERLAY,
    Mode.BGP: Network.BGP,
    Mode.NATIVE: Network.BGP,
    Mode.HOST_GW: Network.BGP,
    Mode.HOST: Network.HOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer about one add-on.

    `certain`: read from what decides it, not from a default or from a setting that something
    unseen may overrule. `look` says what would tell more.
    """

    mode: Mode
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    certain: bool = True
    look: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSetMode:
    """A DaemonSet, its add-on, and how that moves packets.

    `primary`: it is the data path of on-prem nodes, or a part of it. `sides` is None where the pod
    spec cannot be read. `idle` says why it counts for nothing all the same.
    """

    ref: ObjectRef
    location: Location
    addon: str
    reading: Reading
    primary: bool
    pod_spec: Mapping[str, Any]
    sides: Sides | None
    idle: str | None = None

    @property
    def is_cni(self) -> bool:
        """Whether it gives pods their network, on either side."""
        mode = self.reading.mode
        return mode is Mode.CLOUD or mode in NETWORKS or (self.primary and mode is Mode.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Which network this is; None where it cannot be told. `look` says where to look then.

    `decisive` are the DaemonSets that `network` was read from.
    """

    network: Network | None
    evidence: tuple[str, ...]
    daemonsets: tuple[DaemonSetMode, ...]
    decisive: tuple[DaemonSetMode, ...] = ()
    look: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether each reading it rests on is certain."""
        return bool(self.decisive) and all(one.reading.certain for one in self.decisive)
