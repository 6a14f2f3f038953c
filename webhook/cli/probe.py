"""`hybrid-guard probe`: proof, by dry runs, that a live cluster asks the guard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from webhook.cli import FOUND, options
from webhook.policy.model import Policy

if TYPE_CHECKING:
    from webhook.kube.cluster import Cluster
    from webhook.kube.probe import Check

_POLL_SECONDS = 1.0


@click.command()
@options.policy
@options.connection
@click.option("--wait", metavar="SECONDS", type=click.FloatRange(0), default=0.0,
              help="Try again for so long, as after an installation.")  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    kubeconfig: Path | None,
    context: str | None,
    wait: float,
    output: str,
) -> None:
    """Prove that the API server asks hybrid-guard and obeys it.

    A server must be ready, a broken eni-config be refused, a CNI add-on without affinity be pinned.
    The last two are dry runs: nothing is written, but rights are needed as for a write. These are
    patch on the ConfigMap and the DaemonSet that it tries, both named hybrid-guard-probe, create on
    the ConfigMap where it is not there, and, for the first, get on services/proxy of
    https:hybrid-guard:https. `helm test` runs this with an account of its own.

    \b
    Examples:
      hybrid-guard probe --network bgp
      hybrid-guard probe --policy policy.yaml --context prod -o json

    Exit status: 0 in force, 1 not, 2 usage, 3 the cluster cannot be asked.
    """
    policy = options.load(policy_file, network)
    found = _until_passed(options.connect(kubeconfig, context), policy, wait)
    click.echo(_json(found) if output == "json" else _text(found, options.painter()), nl=False)
    ctx.exit(0 if all(check.passed for check in found) else FOUND)


def _until_passed(cluster: Cluster, policy: Policy, seconds: float) -> tuple[Check, ...]:
    """Try until everything passes or the time is up, telling what is waited for."""
    from webhook.kube import probe  # noqa: PLC0415  # a second to import
    from webhook.kube.cluster import ClusterError  # noqa: PLC0415

    end, told = time.monotonic() + seconds, ""
    while True:
        try:
            found = probe.checks(cluster, policy)
            why = next((f"{check.rule} {check.message}" for check in found if check.rule), "")
        except ClusterError as error:
            if time.monotonic() >= end:
                raise options.not_reached(error) from None
            why = str(error)
        else:
            if not why or time.monotonic() >= end:
                return found
        if why != told:
            click.echo(f"waiting: {why}", err=True)
            told = why
        time.sleep(min(_POLL_SECONDS, seconds))


def _text(found: tuple[Check, ...], paint: Callable[[str, str], str]) -> str:
    lines = []
    for check in found:
        word = paint("ok  ", "green") if check.passed else paint("FAIL", "red")
        rule = f"{check.rule} " if check.rule else ""
        lines.append(f"{word}  {check.name:<10}  {rule}{check.message}")
        if check.fix:
            lines.append(f"{'':>18}fix: {check.fix}")
    return "\n".join(lines) + "\n"


def _json(found: tuple[Check, ...]) -> str:
    body = {
        "version": 1,
        "passed": all(check.passed for check in found),
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "rule": check.rule,
                "message": check.message,
                "fix": check.fix,
            }
            for check in found
        ],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
