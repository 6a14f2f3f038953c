"""The command line: verbs, exit codes, and the only place that wires the parts together.

A verb's module is imported when the verb is called, so that `--help` stays quick.
"""

from __future__ import annotations

import importlib

import click

from certs import program
from certs.program import INTERRUPTED as INTERRUPTED

# Exit statuses (docs: README): findings at level error, usage, could not look.
FOUND, USAGE, COULD_NOT_LOOK = 1, 2, 3

_VERBS = {
    "serve": "Run the webhook over TLS.",
    "review": "Answer an AdmissionReview as the server would.",
    "patch": "Put the node affinity into manifests, in place.",
    "explain": "Tell where workloads land, and what admission does about it.",
    "audit": "Find what is wrong in manifests: workloads and eni-config.",
    "detect": "Tell which network this is: overlay, bgp or host.",
    "eni": "Write a valid eni-config.",
    "ram-policy": "Print the RAM policy Terway needs, or check one.",
    "crds": "Print the Calico CRDs that Terway's NetworkPolicy needs.",
    "probe": "Prove, by dry runs, that a live cluster asks the guard.",
    "schema": "Print the policy file's JSON schema, for editors.",
    "completion": "Print the completion script of a shell.",
}


class _Verbs(click.Group):
    """A group whose verbs are imported one by one, when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use."""
        del ctx
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; typos fall through to click's own message."""
        del ctx
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"webhook.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing any."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's signature
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        click.echo(f"hybrid-guard {version('hybrid-guard')}")
        ctx.exit()


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 nothing at level error, 1 findings, 2 usage, 3 could not look.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Print the version.",
)  # fmt: skip
def cli() -> None:
    """Keep CNI add-ons and workloads on their side of a hybrid Kubernetes cluster.

    \b
    Examples:
      hybrid-guard serve --dev
      hybrid-guard explain --network bgp calico.yaml
      hybrid-guard audit --network bgp manifests/
      hybrid-guard patch --policy policy.yaml --diff manifests/
    """


def main() -> None:
    """Run the command line; every error is a line or two, never a traceback."""
    program.run(cli, "hybrid-guard")
