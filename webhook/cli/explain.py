"""`hybrid-guard explain`: where workloads land, and what admission does about it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from webhook.audit import inspect, text
from webhook.audit.formats import document
from webhook.audit.report import Report
from webhook.cli import FOUND, objects, options, output

_NAME = re.compile(r"[A-Z][A-Za-z]*/[a-z0-9.-]+/[a-z0-9.-]+")


@click.command()
@options.policy
@options.namespace_labels
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text")
@click.argument("paths", metavar="[F | KIND/NAMESPACE/NAME]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    form: str,
    paths: tuple[str, ...],
) -> None:
    """Explain manifests in files, folders or standard input.

    For each workload: the rule, the placement, the sides it can land on with a node as witness,
    the patch, or why there is none. A KIND/NAMESPACE/NAME beside files picks that object.

    \b
    Examples:
      hybrid-guard explain --network bgp calico.yaml
      hybrid-guard explain --policy policy.yaml -o json manifests/ DaemonSet/kube-system/cilium
      helm template cilium cilium/cilium | hybrid-guard explain --network bgp -
    """
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    names = {path for path in paths if _NAME.fullmatch(path) and not Path(path).exists()}
    files = tuple(path for path in paths if path not in names)
    if names and not files:
        raise click.UsageError(f"name the files to look for {' '.join(sorted(names))} in")
    sources = list(objects.read(files))
    placements = objects.namespace_placements(sources, given)
    report = Report()
    judged = [
        inspect.inspect(
            manifest.object, policy, report, source=manifest, namespace_placements=placements
        )
        for source in sources
        for manifest in source.manifests
    ]
    rows = [row for row in judged if row and (not names or str(row.ref) in names)]
    if names:
        report.workloads = len(rows)
        report.findings = [f for f in report.findings if str(f.object) in names]
    (document if form == "json" else text).render(rows, report, output.standard())
    ctx.exit(FOUND if report.has_errors else 0)
