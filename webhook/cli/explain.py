"""`hybrid-guard explain`: where workloads land, and what admission does about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webhook.audit import forged, text
from webhook.audit.explained import explained
from webhook.audit.formats import document
from webhook.audit.origin import Live, Origin
from webhook.audit.report import Report, Row
from webhook.cli import FOUND, objects, options, output
from webhook.findings import ObjectRef
from webhook.owners import Forgery, disowned
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.workloads import WorkloadKind, ref_of

if TYPE_CHECKING:
    from webhook.kube.cluster import Cluster

_NAME = re.compile(r"([A-Za-z]+)(/[a-z0-9.-]+/[a-z0-9.-]+)")
_CONFIG_MAP = WorkloadKind(
    group="", versions=("v1",), resource="configmaps", kind="ConfigMap", template=()
)  # the one kind without a pod template that is explained
_Found = tuple[dict[str, Any], Origin]


@click.command()
@options.policy
@options.namespace_labels
@options.connection
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text")
@click.argument("paths", metavar="[F | KIND/NAMESPACE/NAME]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    kubeconfig: Path | None,
    context: str | None,
    form: str,
    paths: tuple[str, ...],
) -> None:
    """Explain manifests in files, folders or standard input, or objects of a live cluster.

    For each workload: the rule, the placement, the sides it can land on with a node as witness,
    the patch, or why there is none; what that restarts, who else writes it, and their own knob for
    the affinity. A KIND/NAMESPACE/NAME is read from the cluster; beside files it picks that object.

    \b
    Examples:
      hybrid-guard explain --network bgp calico.yaml
      hybrid-guard explain --network bgp DaemonSet/calico-system/calico-node
      hybrid-guard explain --policy policy.yaml -o json manifests/ DaemonSet/kube-system/cilium
      helm template cilium cilium/cilium | hybrid-guard explain --network bgp -

    Exit status: 0 nothing at level error, 1 findings at level error, 2 a file is broken or usage,
    3 a file is missing or unreadable, or the object or its cluster cannot be read.
    """
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    kinds = _kinds(policy)
    written = {path: _name(path, kinds) for path in paths}
    names = {name for name in written.values() if name}
    files = tuple(path for path, name in written.items() if not name)
    live = bool(names) and not files
    if (kubeconfig or context) and not live:
        raise click.UsageError("--kubeconfig and --context are for KIND/NAMESPACE/NAME alone")
    report = Report()
    if live:
        looked = _from_cluster(sorted(names), policy, kubeconfig, context, given)
        found, placements, forgeries = looked
        report.findings += forged.findings(forgeries)
    else:
        found, placements = _from_files(files, given)
        _check_there(found, names)
    judged = [
        explained(obj, policy, report, source=origin, namespace_placements=placements, live=live)
        for obj, origin in found
    ]
    rows = [row for row in judged if row]
    if names:
        rows = _picked(rows, report, names)
    (document if form == "json" else text).render(rows, report, output.standard())
    ctx.exit(FOUND if report.has_errors else 0)


def _name(path: str, kinds: Mapping[str, WorkloadKind]) -> str | None:
    """Return KIND/NAMESPACE/NAME, where KIND may be the resource, in any case; None for a file."""
    match = _NAME.fullmatch(path)
    if match is None or Path(path).exists():
        return None
    word, rest = match.groups()
    for kind in kinds.values():
        if word.lower() in (kind.kind.lower(), kind.resource):
            return kind.kind + rest
    if word[0].isupper():
        raise click.UsageError(f"{path}: write one of {', '.join(kinds)}")
    return None


def _check_there(found: list[_Found], names: set[str]) -> None:
    """Refuse names of objects that are not among these. Raises NotReachedError."""
    missing = names - {_full(ref_of(obj)) for obj, _ in found}
    if missing:
        raise options.NotReachedError(f"{', '.join(sorted(missing))}: not in what was given")


def _picked(rows: list[Row], report: Report, names: set[str]) -> list[Row]:
    """Leave these objects alone in a report, and return their rows."""
    picked = [row for row in rows if _full(row.ref) in names]
    report.findings = [f for f in report.findings if f.object and _full(f.object) in names]
    report.workloads, report.other = len(picked), 0
    return picked


def _full(ref: ObjectRef) -> str:
    """Return KIND/NAMESPACE/NAME; what names no namespace is taken to be in the usual one."""
    return f"{ref.kind}/{ref.namespace or 'default'}/{ref.name}"


def _from_files(
    files: tuple[str, ...], given: Mapping[str, Placement]
) -> tuple[list[_Found], dict[str, Placement]]:
    """Return the objects in files, and what the namespaces among them say."""
    sources = list(objects.read(files))
    found: list[_Found] = [(m.object, m) for source in sources for m in source.manifests]
    return found, objects.namespace_placements(sources, given)


def _from_cluster(
    names: list[str],
    policy: Policy,
    kubeconfig: Path | None,
    context: str | None,
    given: Mapping[str, Placement],
) -> tuple[list[_Found], dict[str, Placement], list[Forgery]]:
    """Return the objects of these names, what their namespaces say, and which owners are none."""
    wanted = [tuple(name.split("/")) for name in names]
    kinds = _kinds(policy)
    connection = options.connect(kubeconfig, context)
    from webhook.kube import named  # noqa: PLC0415  # imported by now
    from webhook.kube.cluster import ClusterError  # noqa: PLC0415

    found: list[_Found] = []
    namespaces = []
    forgeries = []
    try:
        for kind, namespace, name in wanted:
            obj = named.get(connection, kinds[kind], namespace, name)
            forgery = _forgery(connection, policy, kinds[kind], obj)
            if forgery:
                forgeries.append(forgery)
                obj = disowned(obj)
            found.append((obj, Live()))
    except ClusterError as error:
        raise options.not_reached(error) from None
    for namespace in sorted({namespace for _, namespace, _ in wanted}):
        try:
            namespaces.append(named.namespace_of(connection, namespace))
        except ClusterError as error:
            fix = "its label is not known; give --namespace-label"
            click.echo(f"note: namespace {namespace}: {error}: {fix}", err=True)
    return found, objects.placements(namespaces, given), forgeries


def _forgery(
    connection: Cluster, policy: Policy, kind: WorkloadKind, obj: dict[str, Any]
) -> Forgery | None:
    """Look at the owner that an object names; who may not see it believes it, and hears so."""
    from webhook.kube.cluster import ClusterError  # noqa: PLC0415  # imported by now
    from webhook.kube.owners import Owners  # noqa: PLC0415

    try:
        return Owners(policy.kinds).forgery(connection, kind, obj)
    except ClusterError as error:
        if error.status is None:
            raise
        click.echo(f"note: its owner was not looked at: {error}", err=True)
        return None


def _kinds(policy: Policy) -> dict[str, WorkloadKind]:
    """Return the kinds that may be named, by their names."""
    return {one.kind: one for one in (*policy.kinds, _CONFIG_MAP)}
