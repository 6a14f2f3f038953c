"""`hybrid-guard patch`: manifests as admission would store them, edited in place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import click

from webhook.admission import scope
from webhook.cli import FOUND, objects, options
from webhook.cli.objects import Source
from webhook.files import edit, manifests, writing
from webhook.files.edit import Edit
from webhook.files.errors import FileError
from webhook.files.manifests import Manifest
from webhook.findings import Finding, Level
from webhook.patch import steps
from webhook.policy.evaluate import BEYOND, evaluate, unreadable
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.settings import terminal
from webhook.workloads import ShapeError, read, ref_of, retired


@click.command()
@options.policy
@options.namespace_labels
@click.option("--diff", "as_diff", is_flag=True, help="Print a unified diff instead.")
@click.option("--in-place", is_flag=True, help="Write the files themselves.")
@click.argument("paths", metavar="[F]...", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    namespace_label: tuple[str, ...],
    as_diff: bool,  # noqa: FBT001  # click passes by name
    in_place: bool,  # noqa: FBT001
    paths: tuple[str, ...],
) -> None:
    """Put the node affinity into manifests, as admission would.

    YAML or JSON in, the same out; comments, order, quoting and other objects stay byte for byte.
    So does what a controller made, or what has its node. A contradiction leaves its object as it
    was, is told on standard error, and exits 1.

    \b
    Examples:
      hybrid-guard patch --network bgp calico.yaml > pinned.yaml
      hybrid-guard patch --policy policy.yaml --diff manifests/
      hybrid-guard patch --policy policy.yaml --in-place manifests/*.yaml
    """
    if in_place and (not paths or manifests.STDIN in paths):
        raise click.UsageError("--in-place needs files")
    policy = options.load(policy_file, network)
    given = options.placements(namespace_label)
    sources = list(objects.read(paths))
    placements = objects.namespace_placements(sources, given)
    failed = False
    written = ""
    for source in sources:
        after, complaints = patched(source, policy, placements)
        for complaint in complaints:
            click.echo(complaint, err=True)
            failed = True
        if as_diff:
            _show_diff(source, after)
        elif not in_place:
            written = _joined(written, after)
        if in_place and after != source.text:
            _write(Path(source.file), after)
    click.echo(written, nl=False)
    ctx.exit(FOUND if failed else 0)


def patched(
    source: Source, policy: Policy, placements: Mapping[str, Placement]
) -> tuple[str, list[str]]:
    """Return a file's text with its patches, and what could not be patched."""
    edits: list[Edit] = []
    complaints: list[str] = []
    text = source.text
    for index, manifest in enumerate(source.manifests):
        try:
            workload = read(manifest.object, policy.kinds)
        except ShapeError as error:
            complaints.append(
                _complaint(source, manifest, unreadable(ref_of(manifest.object), error))
            )
            continue
        if workload is None:
            continue
        gone = retired(workload.ref)
        if gone:
            line, _ = manifest.locate(())
            click.echo(f"{source.file}:{line}: note: {gone}", err=True)
        if scope.why_untouched(workload, policy):
            continue
        placement = placements.get(workload.ref.namespace or "default")
        verdict = evaluate(workload, policy, namespace_placement=placement)
        if verdict.ops:
            edits.append(Edit(index=index, ops=verdict.ops, planned=verdict.patched))
        told = [f for f in verdict.findings if f.rule == "HG103" or _is_unread(f)]
        complaints += [_complaint(source, manifest, finding) for finding in told]
    if edits:
        text, refused = _edited(text, edits, source.file)
        complaints += refused
    return text, complaints


def _is_unread(finding: Finding) -> bool:
    return finding.rule in ("HG100", BEYOND) and finding.level is Level.ERROR


def _complaint(source: Source, manifest: Manifest, finding: Finding) -> str:
    """Return a finding with file, line and fix."""
    line, column = manifest.locate(steps(finding.location.pointer or ""))
    return f"{source.file}:{line}:{column}: {finding} ({finding.object})\n  fix: {finding.fix}"


def _edited(text: str, edits: list[Edit], file: str) -> tuple[str, list[str]]:
    """Apply all edits at once; if one is refused, one by one, so that the others still go in."""
    try:
        return edit.apply(text, tuple(edits), file), []
    except FileError as error:
        if len(edits) == 1:
            return text, [str(error)]
    refused: list[str] = []
    for single in edits:
        text, complaints = _edited(text, [single], file)
        refused += complaints
    return text, refused


def _joined(before: str, after: str) -> str:
    """Put the outputs of several files one behind the other, as one stream of documents."""
    if not before:
        return after
    between = "" if after.startswith("---") else "---\n"
    return before + ("" if before.endswith("\n") else "\n") + between + after


def _show_diff(source: Source, after: str) -> None:
    lines = difflib.unified_diff(
        source.text.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{source.file}",
        f"b/{source.file}",
    )
    colours = {"+": "green", "-": "red", "@": "cyan"} if terminal().colour else {}
    for line in lines:
        shown = line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
        click.echo(click.style(shown, fg=colours.get(line[:1])) if colours else shown, nl=False)


def _write(path: Path, text: str) -> None:
    try:
        writing.replace(path, text)
    except FileError as error:
        raise options.failure(error) from None
