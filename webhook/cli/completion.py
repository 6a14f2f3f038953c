"""`hybrid-guard completion SHELL`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      source <(hybrid-guard completion bash)
      hybrid-guard completion fish > ~/.config/fish/completions/hybrid-guard.fish
    """
    from webhook.cli import cli  # noqa: PLC0415

    found = get_completion_class(shell)
    if found is not None:
        script = found(cli, {}, "hybrid-guard", "_HYBRID_GUARD_COMPLETE")
        click.echo(script.source())
