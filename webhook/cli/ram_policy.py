"""`hybrid-guard ram-policy`: the RAM policy Terway needs, and what a given one makes of it."""

from __future__ import annotations

import json

import click

from webhook.cli import FOUND, options
from webhook.eni import jsontext
from webhook.eni.jsontext import JsonError
from webhook.files import manifests
from webhook.files.errors import FileError
from webhook.ram import actions, policy
from webhook.ram.policy import PolicyShapeError, Verdict

_COLOURS = {"granted": "green", "limited": "yellow", "missing": "red", "denied": "red"}
_dual = click.option(
    "--ip-stack",
    type=click.Choice(["ipv4", "dual"]),
    default="ipv4",
    show_default=True,
    help="dual adds the IPv6 actions.",
)


@click.group()
def command() -> None:
    """The RAM policy that Terway's user needs in a registered cluster.

    \b
    Examples:
      hybrid-guard ram-policy print > terway.json
      hybrid-guard ram-policy check --ip-stack dual terway.json
    """


@command.command("print")
@_dual
def print_policy(ip_stack: str) -> None:
    """Print the policy: exactly the actions that Terway calls.

    \b
    Examples:
      hybrid-guard ram-policy print --ip-stack dual
    """
    click.echo(policy.document(dual=ip_stack == "dual"), nl=False)


@command.command("check")
@_dual
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@click.argument("file", metavar="F", default=manifests.STDIN)
@click.pass_context
def check_policy(ctx: click.Context, ip_stack: str, output: str, file: str) -> None:
    """Tell what a policy document lacks, and what it grants in excess.

    Wildcards, NotAction and Deny are understood. An action that is granted for some resources or
    under a condition only is told as limited: whether that is enough depends on your resources.

    \b
    Examples:
      hybrid-guard ram-policy check terway.json
      aliyun ram GetPolicyVersion ... | jq -r .PolicyVersion.PolicyDocument | \\
        hybrid-guard ram-policy check -o json -

    Exit status: 0 nothing is lacking, 1 an action is missing or denied, 2 no RAM policy, 3 the
    file cannot be read.
    """
    verdict = _judged(file, dual=ip_stack == "dual")
    click.echo(_json(verdict) if output == "json" else _text(verdict), nl=False)
    ctx.exit(0 if verdict.sufficient else FOUND)


def _judged(file: str, *, dual: bool) -> Verdict:
    try:
        text = manifests.read_text(file)
    except FileError as error:
        raise options.failure(error) from None
    try:
        jsontext.parse(text, most=len(text))  # for its places: the same with every Python
        return policy.check(json.loads(text, parse_int=str), dual=dual)
    except JsonError as error:
        place = f"{file}:{error.line}:{error.column}"
        message = f"{place}: not JSON: {error.reason}\n  fix: correct it there"
        raise options.Failure(message) from None
    except (PolicyShapeError, RecursionError) as error:
        reason = str(error) if isinstance(error, PolicyShapeError) else "nested too deep"
        fix = "start from `hybrid-guard ram-policy print`"
        raise options.Failure(f"{file}: no RAM policy: {reason}\n  fix: {fix}") from None


def _json(verdict: Verdict) -> str:
    body = {
        "version": 1,
        "sufficient": verdict.sufficient,
        **{
            word: [action for action, said in verdict.needed.items() if said == word]
            for word in ("missing", "denied", "limited", "granted")
        },
        "excess": [{"action": pattern, "why": why} for pattern, why in verdict.excess.items()],
    }
    return json.dumps(body, indent=2) + "\n"


def _text(verdict: Verdict) -> str:
    paint = options.painter()
    meanings = {**actions.ALWAYS, **actions.DUAL_STACK}
    width = max(map(len, verdict.needed))
    lines = [
        f"{paint(f'{word:<8}', _COLOURS[word])} {action:<{width}}  {meanings[action]}"
        for action, word in verdict.needed.items()
    ]
    lines += [
        f"{paint('excess  ', 'yellow')} {pattern:<{width}}  {why}"
        for pattern, why in verdict.excess.items()
    ]
    lacking = sum(word in ("missing", "denied") for word in verdict.needed.values())
    limited = sum(word == "limited" for word in verdict.needed.values())
    lines.append(
        f"{len(verdict.needed)} actions needed: {lacking} lacking, {limited} limited; "
        f"{len(verdict.excess)} granted in excess"
    )
    return "\n".join(lines) + "\n"
