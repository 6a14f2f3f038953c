"""`hybrid-guard review`: what the server would answer."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from webhook.admission import exchange
from webhook.admission.record import Word
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError
from webhook.cli import FOUND, options
from webhook.policy.words import Placement


@click.command()
@options.policy
@click.option(
    "--hook",
    type=click.Choice([hook.value for hook in Hook]),
    help="Which hook answers; see below.",
)
@click.option(
    "--placement",
    type=click.Choice([Placement.ON_PREM.value, Placement.CLOUD.value]),
    help="The placement label of the object's namespace.",
)
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_context
def command(
    ctx: click.Context,
    policy_file: Path | None,
    network: str | None,
    hook: str | None,
    placement: str | None,
    file: BinaryIO,
) -> None:
    """Answer an AdmissionReview from FILE or standard input, as the server would.

    Without --hook, ConfigMaps and DELETE go to validate, all else to mutate. Exit status: 0
    allowed, 1 denied, 2 not an AdmissionReview.

    \b
    Examples:
      hybrid-guard review --network bgp review.json
      hybrid-guard review --policy policy.yaml --hook validate < review.json
    """
    policy = options.load(policy_file, network)
    try:
        answer, record = exchange.answer(
            Hook(hook) if hook else None,
            file.read(),
            policy,
            namespace_placement=Placement(placement) if placement else None,
        )
    except (StrictJSONError, ReviewError) as error:
        raise options.Failure(f"{file.name}: not an AdmissionReview: {error}") from None
    click.echo(answer)
    ctx.exit(FOUND if record.verdict is Word.DENIED else 0)
