"""`hybrid-guard schema`."""

from __future__ import annotations

import json

import click


@click.command()
def command() -> None:
    """Print the JSON schema of the policy file.

    \b
    Example, for an editor with the YAML language server:
      hybrid-guard schema > policy.schema.json
      # yaml-language-server: $schema=policy.schema.json
    """
    from webhook.policy import parse  # noqa: PLC0415

    click.echo(json.dumps(parse.schema(), indent=2))
