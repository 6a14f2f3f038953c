"""From the modes of all DaemonSets to the network they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webhook.detect.identify import Identity, identify
from webhook.detect.model import NETWORKS, DaemonSetMode, Detection, Mode, Reading
from webhook.detect.rules import RULES
from webhook.detect.seen import DaemonSet, Scope, Seen
from webhook.findings import NOWHERE, ObjectRef
from webhook.placement import proof
from webhook.placement.model import CloudNodes, Sides
from webhook.policy.catalogue import Role
from webhook.policy.words import Network
from webhook.workloads import ShapeError

_CROSS_SUBNET = (
    "against: within a subnet nothing is encapsulated, and a VPC drops addresses it does not know: "
    "two cloud nodes in one vSwitch do not reach each other's pods unless the VPC has routes"
)
_ALL = "kubectl get daemonsets -A -o yaml"


def conclude(seen: Seen, cloud: CloudNodes) -> Detection:
    """Judge each DaemonSet, then say which network the data paths of on-prem nodes make."""
    judged = tuple(_judge(daemonset, seen, cloud) for daemonset in seen.daemonsets)
    paths = [one for one in judged if _counts(one)]
    if not paths:
        paths = list(_unowned(seen))
    if not paths:
        return _without(judged, seen, cloud)
    return _from_paths(judged, paths, seen)


def _judge(daemonset: DaemonSet, seen: Seen, cloud: CloudNodes) -> DaemonSetMode:
    identity = identify(daemonset.ref.name, daemonset.pod_spec)
    primary = identity.role is Role.ON_PREM_NETWORK
    sides = _sides(daemonset, cloud)
    return DaemonSetMode(
        ref=daemonset.ref,
        location=daemonset.location,
        addon=identity.addon,
        reading=_reading(identity, Scope(seen=seen, daemonset=daemonset)),
        primary=primary,
        pod_spec=daemonset.pod_spec,
        sides=sides,
        idle=_idle(daemonset, sides) if primary else None,
    )


def _reading(identity: Identity, scope: Scope) -> Reading:
    if identity.role is Role.CLOUD_NETWORK:
        return Reading(mode=Mode.CLOUD, evidence=("the network of a cloud's own nodes",))
    if identity.role is Role.ON_PREM_NETWORK:
        rule = RULES.get(identity.addon)
        if rule is not None:
            return rule(scope)
        return Reading(mode=Mode.UNKNOWN, evidence=("how it moves packets is not told here",))
    if identity.stranger:
        why = "it writes /etc/cni/net.d and is no add-on known here"
        return Reading(mode=Mode.UNKNOWN, evidence=(why,))
    return Reading(mode=Mode.NONE, evidence=("not a data path",))


def _sides(daemonset: DaemonSet, cloud: CloudNodes) -> Sides | None:
    try:
        return proof.prove(dict(daemonset.pod_spec), cloud).sides
    except ShapeError:
        return None


def _idle(daemonset: DaemonSet, sides: Sides | None) -> str | None:
    """Say why a data path is not one of on-prem nodes."""
    if daemonset.scheduled == 0:
        return "it runs on no node"
    if sides is Sides.CLOUD:
        return "it runs on cloud nodes only"
    return "it matches no node" if sides is Sides.NONE else None


def _counts(one: DaemonSetMode) -> bool:
    return one.primary and one.is_cni and one.idle is None and one.reading.mode is not Mode.CLOUD


def _unowned(seen: Seen) -> Iterator[DaemonSetMode]:
    """Yield what settings alone tell: an operator's Installation, IP pools, nodes' annotations."""
    kinds = {kind for _, kind, _ in seen.resources}
    if kinds & {"Installation", "IPPool"}:
        yield _alone("calico", seen)
    elif seen.nodes.backends:
        yield _alone("flannel", seen)


def _alone(addon: str, seen: Seen) -> DaemonSetMode:
    ref = ObjectRef(api_version="apps/v1", kind="DaemonSet", namespace=None, name="")
    nobody = DaemonSet(ref=ref, location=NOWHERE, pod_spec={})
    return DaemonSetMode(
        ref=ref,
        location=NOWHERE,
        addon=addon,
        reading=RULES[addon](Scope(seen=seen, daemonset=nobody)),
        primary=True,
        pod_spec={},
        sides=None,
    )


def _from_paths(
    judged: tuple[DaemonSetMode, ...], paths: list[DaemonSetMode], seen: Seen
) -> Detection:
    addons = list(dict.fromkeys(one.addon for one in paths))
    networks = {NETWORKS.get(one.reading.mode) for one in paths}
    modes = _listed(f"{one.addon}: {one.reading.mode}" for one in paths)
    settings = _listed(text for one in paths if not one.ref.name for text in _said(one.reading))
    evidence = [*modes, *settings, *_ignored(judged), *seen.notes]
    if any(one.reading.mode is Mode.CROSS_SUBNET for one in paths):
        evidence.append(_CROSS_SUBNET)
    if len(addons) > 1:
        why = f"{len(addons)} data paths: {', '.join(addons)}"
        which = f"{_ALL} (which of them carries the pods of on-prem nodes)"
        return Detection(network=None, evidence=(why, *evidence), daemonsets=judged, look=(which,))
    network = networks.pop() if len(networks) == 1 else None
    look = () if network else tuple(_listed(one.reading.look or _ALL for one in paths))
    return Detection(
        network=network,
        evidence=tuple(evidence),
        daemonsets=judged,
        decisive=tuple(paths) if network else (),
        look=look,
    )


def _without(judged: tuple[DaemonSetMode, ...], seen: Seen, cloud: CloudNodes) -> Detection:
    """Conclude where there is no data path of on-prem nodes: nothing there, or nothing seen."""
    evidence = [*_ignored(judged), *seen.notes]
    nodes = seen.nodes
    strangers = [
        one.ref.name for one in judged if not one.primary and one.reading.mode is Mode.UNKNOWN
    ]
    home = {
        name for name, labels in nodes.labels.items() if labels.get(cloud.key) not in cloud.values
    }
    carried = nodes.pod_network & home if nodes.labels else nodes.pod_network
    if strangers:
        evidence.append(f"a CNI that is not known here: {', '.join(strangers)}")
    elif carried:
        evidence.append(f"pods with an address of their own run on on-prem node {min(carried)}")
    elif nodes.embedded:
        evidence.append("k3s or RKE2 nodes: their network may run inside the agent's process")
    elif any(one.reading.mode is Mode.POLICY_ONLY or one.primary for one in judged):
        evidence.append("the data path of on-prem nodes is not among these objects")
    elif _is_seen_whole(seen, home):
        why = "no CNI add-on for on-prem nodes, and no pod with an address of its own there"
        return Detection(network=Network.HOST, evidence=(why, *evidence), daemonsets=judged)
    else:
        evidence.append("no CNI add-on for on-prem nodes among these objects")
    return Detection(
        network=None,
        evidence=tuple(evidence),
        daemonsets=judged,
        look=(_ALL, "ls /etc/cni/net.d on an on-prem node"),
    )


def _is_seen_whole(seen: Seen, home: set[str]) -> bool:
    """Tell whether what is not there is absent, or has only not been shown."""
    if seen.whole is not None:
        return seen.whole and bool(home)
    return bool(seen.nodes.pods or (home and seen.daemonsets))


def _ignored(judged: tuple[DaemonSetMode, ...]) -> list[str]:
    return _listed(f"{one.addon} does not count: {one.idle}" for one in judged if one.idle)


def _said(reading: Reading) -> Iterator[str]:
    yield from reading.evidence
    yield from (f"against: {text}" for text in reading.against)


def _listed(texts: Iterable[str]) -> list[str]:
    """Return each text once, in order."""
    return list(dict.fromkeys(texts))
