"""Images that a workload pulls where its registry is not known: HG110."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.findings import Finding, Level, Location
from webhook.patch import pointer
from webhook.placement.model import Sides
from webhook.placement.proof import prove
from webhook.policy.model import Policy
from webhook.policy.registries import hindrance
from webhook.policy.words import Placement
from webhook.workloads import ShapeError, Workload, mapping_of


def unpullable(workload: Workload, placement: Placement, policy: Policy) -> tuple[Finding, ...]:
    """Return HG110 where a workload may run on cloud nodes, and they cannot pull its images.

    Part of the verdict for the add-ons of the catalogue alone: who else pulls from a registry of
    the office may have a way to it, so an audit tells of those, and admission does not.
    """
    hindered = [] if placement is Placement.ON_PREM else list(_hindered(workload))
    if not hindered or not _reaches_cloud(workload, policy):
        return ()
    image, why, path = hindered[0]
    more = f" and {len(hindered) - 1} more" if len(hindered) > 1 else ""
    return (
        Finding(
            rule="HG110",
            level=Level.WARNING,
            message=f"cloud nodes, where it may run, cannot pull {image}{more}: {why}",
            fix="push it to a registry that both sides reach, or keep the workload on-prem",
            object=workload.ref,
            location=Location(pointer=pointer(path)),
        ),
    )


def _hindered(workload: Workload) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Yield each image that cannot be pulled, why, and where it stands."""
    for name in ("initContainers", "containers"):
        listed = workload.pod_spec.get(name)
        for index, container in enumerate(listed if isinstance(listed, list) else ()):
            image = mapping_of(container).get("image")
            if isinstance(image, str) and (why := hindrance(image)):
                yield image, why, (*workload.kind.pod_spec, name, index, "image")


def _reaches_cloud(workload: Workload, policy: Policy) -> bool:
    try:
        sides = prove(workload.pod_spec, policy.cloud_nodes).sides
    except ShapeError:
        return False
    return sides in (Sides.BOTH, Sides.CLOUD)
