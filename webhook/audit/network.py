"""What the CNI add-ons tell together: HG201 to HG203.

Judged on what detection read of them, so that `detect` shows the evidence of each finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.detect import Detection, Survey
from webhook.detect.identify import identify
from webhook.detect.model import DaemonSetMode, Mode
from webhook.detect.wanted import USUAL
from webhook.findings import Finding, Level
from webhook.placement import selector
from webhook.placement.model import CloudNodes, Side, Sides
from webhook.policy.catalogue import CATALOGUE
from webhook.policy.model import Policy
from webhook.policy.words import Network
from webhook.workloads import ShapeError

_SHOWN = 3  # names in a message
_NO_CNI_WANTED = "virtual-kubelet"  # the label `type` of a node that runs no containers
_NODES = {Side.ON_PREM: "on-prem nodes", Side.CLOUD: "cloud nodes"}


def findings(survey: Survey, policy: Policy) -> Iterator[Finding]:
    """Yield what the add-ons and the policy's network make of each other."""
    detection = survey.detection(policy.cloud_nodes)
    yield from _differs(detection, policy.network)
    yield from _left_behind(detection)
    if survey.seen.nodes.labels:
        yield from _on_nodes(detection, survey, policy)
    else:
        yield from _on_sides(detection)
    yield from _leftovers(detection, survey)


def _differs(detection: Detection, wanted: Network) -> Iterator[Finding]:
    """Yield HG201; an error only where what was read decides."""
    network = detection.network
    if network is None or not detection.decisive:
        return
    first = detection.decisive[0]
    modes = {one.reading.mode for one in detection.decisive}
    said = f"{first.addon} is {first.reading.mode} ({first.reading.evidence[0]})"
    if network is not wanted:
        sure = detection.certain and Mode.CROSS_SUBNET not in modes
        level = Level.ERROR if sure else Level.WARNING
        message = f"the policy says network {wanted}, this looks like {network}: {said}"
        fix = f"write `network: {network}`; `hybrid-guard detect` shows the evidence"
    elif Mode.CROSS_SUBNET in modes:
        level = Level.WARNING
        message = (
            f"network {wanted} holds between subnets only: {said}; within one vSwitch a VPC drops "
            "what two cloud nodes send each other's pods"
        )
        fix = "encapsulate always, or keep it off cloud nodes with `network: bgp`"
    else:
        return
    yield _finding("HG201", level, message, fix, first)


def _left_behind(detection: Detection) -> Iterator[Finding]:
    """Yield HG202 for companions that can land where their CNI does not."""
    for addon in CATALOGUE:
        agents = [one for one in detection.daemonsets if one.addon == addon.name and one.primary]
        agents = [one for one in agents if one.ref.name not in addon.companions]
        if not addon.companions or not agents:
            continue
        if any(one.sides is not Sides.ON_PREM for one in agents):
            continue
        for one in detection.daemonsets:
            if one.ref.name in addon.companions and one.sides in (Sides.BOTH, Sides.CLOUD):
                message = f"left behind: {agents[0].ref} keeps off cloud nodes, it does not"
                fix = "pin both: `hybrid-guard patch --network bgp` does"
                yield _finding("HG202", Level.WARNING, message, fix, one)


def _on_sides(detection: Detection) -> Iterator[Finding]:
    """Yield HG203 for a side that two CNIs admit; without nodes nothing more is known."""
    for side in Side:
        found = {
            one.addon: one
            for one in detection.daemonsets
            if one.is_cni and one.sides in (Sides.BOTH, Sides(side.value))
        }
        if len(found) > 1:
            yield _two(found, f"meet on {_NODES[side]}: {_some(sorted(found))}")


def _on_nodes(detection: Detection, survey: Survey, policy: Policy) -> Iterator[Finding]:
    """Yield HG203 for nodes with two CNIs, and for those with none."""
    cnis = [one for one in detection.daemonsets if one.is_cni]
    nodes = survey.seen.nodes
    meeting: dict[tuple[str, ...], list[str]] = {}
    for name, labels in nodes.labels.items():
        found = tuple(sorted({one.addon for one in cnis if _fits(one, labels, name)}))
        if len(found) != 1 and labels.get("type") != _NO_CNI_WANTED:
            meeting.setdefault(found, []).append(name)
    for addons, names in meeting.items():
        if addons:
            found_here = {one.addon: one for one in cnis if one.addon in addons}
            yield _two(found_here, f"meet: {_some(sorted(found_here))} on {_some(names)}")
            continue
        lonely = [name for name in names if _wants_one(nodes.labels[name], policy)]
        if lonely and cnis and not nodes.embedded:
            message = f"no CNI on some nodes: {_some(lonely)}"
            fix = "add its label, or a CNI for its side (Terway on cloud nodes)"
            yield _finding("HG203", Level.WARNING, message, fix, cnis[0])


def _leftovers(detection: Detection, survey: Survey) -> Iterator[Finding]:
    """Yield HG203 for what a CNI left that is gone, where another one runs."""
    running = [one for one in detection.daemonsets if one.is_cni and one.primary]
    here = {identify(one.ref.name, one.pod_spec).addon for one in detection.daemonsets}
    if not running:
        return
    left = {name: addon for addon, name in USUAL.items() if addon not in here}
    for config_map in survey.seen.config_maps:
        addon = left.get(config_map.ref.name)
        if addon:
            said = f"ConfigMap {config_map.ref.name} is left of {addon}"
            yield _leftover(addon, said, running[0])
    backends = survey.seen.nodes.backends
    if backends and not here & {"flannel", "canal"}:
        yield _leftover("flannel", f"annotations on {_some(list(backends))} are left", running[0])


def _leftover(addon: str, said: str, running: DaemonSetMode) -> Finding:
    message = f"leftovers of {addon}: {said}; {running.addon} runs now"
    fix = f"delete it, and the file of {addon} in /etc/cni/net.d: the first one by name wins"
    return _finding("HG203", Level.WARNING, message, fix, running)


def _two(found: dict[str, DaemonSetMode], how: str) -> Finding:
    message = f"two CNIs {how}"
    fix = "keep one per side; where they meet, the first file in /etc/cni/net.d wins"
    return _finding("HG203", Level.WARNING, message, fix, found[min(found)])


def _fits(one: DaemonSetMode, labels: dict[str, str], name: str) -> bool:
    try:
        return selector.matches(dict(one.pod_spec), labels, name)
    except ShapeError:
        return False


def _wants_one(labels: dict[str, str], policy: Policy) -> bool:
    return policy.network is not Network.HOST or _is_cloud(labels, policy.cloud_nodes)


def _is_cloud(labels: dict[str, str], cloud: CloudNodes) -> bool:
    return labels.get(cloud.key) in cloud.values


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _finding(rule: str, level: Level, message: str, fix: str, about: DaemonSetMode) -> Finding:
    ref = about.ref if about.ref.name else None
    return Finding(
        rule=rule, level=level, message=message, fix=fix, object=ref, location=about.location
    )
