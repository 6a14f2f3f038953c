"""`hybrid-guard explain`: where workloads land, and what admission does about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from webhook.audit import text
from webhook.audit.explained import explained
from webhook.audit.formats import document
from webhook.audit.origin import Live, Origin
from webhook.audit.report import Report
from webhook.cli import FOUND, objects, options, output
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.workloads import WorkloadKind

_NAME = re.compile(r"[A-Z][A-Za-z]*/[a-z0-9.-]+/[a-z0-9.-]+")
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
    names = {path for path in paths if _NAME.fullmatch(path) and not Path(path).exists()}
    files = tuple(path for path in paths if path not in names)
    live = bool(names) and not files
    if (kubeconfig or context) and not live:
        raise click.UsageError("--kubeconfig and --context are for KIND/NAMESPACE/NAME alone")
    if live:
        cluster = _Cluster(policy, kubeconfig, context)
        found, placements = cluster.read(sorted(names), given)
    else:
        found, placements = _from_files(files, given)
    report = Report()
    judged = [
        explained(obj, policy, report, source=origin, namespace_placements=placements, live=live)
        for obj, origin in found
    ]
    rows = [row for row in judged if row and (not names or str(row.ref) in names)]
    if names:
        report.workloads = len(rows)
        report.findings = [f for f in report.findings if str(f.object) in names]
    (document if form == "json" else text).render(rows, report, output.standard())
    ctx.exit(FOUND if report.has_errors else 0)


def _from_files(
    files: tuple[str, ...], given: Mapping[str, Placement]
) -> tuple[list[_Found], dict[str, Placement]]:
    """Return the objects in files, and what the namespaces among them say."""
    sources = list(objects.read(files))
    found: list[_Found] = [(m.object, m) for source in sources for m in source.manifests]
    return found, objects.namespace_placements(sources, given)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """The cluster that named objects are read from."""

    policy: Policy
    kubeconfig: Path | None
    context: str | None

    def read(
        self, names: list[str], given: Mapping[str, Placement]
    ) -> tuple[list[_Found], dict[str, Placement]]:
        """Return the objects of these names, and what their namespaces say."""
        wanted = [(*self._kind(name), name) for name in names]
        connection = options.connect(self.kubeconfig, self.context)
        from webhook.kube import named  # noqa: PLC0415  # imported by now
        from webhook.kube.cluster import ClusterError  # noqa: PLC0415

        found: list[_Found] = []
        namespaces = []
        try:
            for kind, namespace, name, _ in wanted:
                found.append((named.get(connection, kind, namespace, name), Live()))
        except ClusterError as error:
            raise options.not_reached(error) from None
        for namespace in sorted({namespace for _, namespace, _, _ in wanted}):
            try:
                namespaces.append(named.namespace_of(connection, namespace))
            except ClusterError as error:
                fix = "its label is not known; give --namespace-label"
                click.echo(f"note: namespace {namespace}: {error}: {fix}", err=True)
        return found, objects.placements(namespaces, given)

    def _kind(self, name: str) -> tuple[WorkloadKind, str, str]:
        """Return kind, namespace and name; a kind nobody explains is a usage error."""
        from webhook.kube.named import CONFIG_MAP  # noqa: PLC0415  # the client takes its time

        kind, namespace, plain = name.split("/")
        known = {one.kind: one for one in (*self.policy.kinds, CONFIG_MAP)}
        if kind not in known:
            raise click.UsageError(f"{name}: write one of {', '.join(known)}")
        return known[kind], namespace, plain
