"""`hybrid-guard eni`: write a valid eni-config."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml

from webhook.cli import options
from webhook.eni import document, lint, template
from webhook.eni.template import Settings
from webhook.files import credentials
from webhook.files.errors import FileError
from webhook.findings import Level

_ID, _SECRET = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"  # names
_WORLD_BLIND = 0o600


class _Blocks(yaml.SafeDumper):
    """Texts of several lines as literal blocks."""


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


@click.group()
def command() -> None:
    """Terway's ConfigMap.

    \b
    Examples:
      hybrid-guard eni init --credentials AccessKey.csv --output eni-config.yaml
    """


@command.command()
@click.option("--vswitch", "vswitches", metavar="ZONE=ID", multiple=True, help="Repeatable.")
@click.option("--security-group", "groups", metavar="ID", multiple=True, help="Repeatable.")
@click.option("--service-cidr", metavar="CIDR", help="The API server's service range.")
@click.option("--cluster-id", metavar="ID", help="ACK's cluster ID, for the tag ack.aliyun.com.")
@click.option("--ip-stack", type=click.Choice(["ipv4", "dual"]), default="ipv4", show_default=True)
@click.option("--max-pool-size", type=click.IntRange(0), default=5, show_default=True)
@click.option("--min-pool-size", type=click.IntRange(0), default=0, show_default=True)
@click.option("--network-policy", is_flag=True, help="Let Terway enforce NetworkPolicy.")
@click.option(
    "--credentials", "file", metavar="F",
    help=f"The pair, as CSV or JSON; else {_ID} and {_SECRET}.",
)  # fmt: skip
@click.option("--namespace", default="kube-system", show_default=True)
@click.option("--name", default="eni-config", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="A new file, only for your eyes.")
def init(file: str | None, output: Path | None, namespace: str, name: str, **given: Any) -> None:
    """Write an eni-config that every rule accepts.

    What is not given is asked for on a terminal. Credentials come from a file or the environment,
    never from an argument. The result holds them: it goes to a file of mode 600 or to a pipe.

    \b
    Examples:
      hybrid-guard eni init --vswitch cn-hangzhou-g=vsw-bp1... --security-group sg-bp1... \\
        --service-cidr 172.21.0.0/20 --credentials AccessKey.csv --output eni-config.yaml
      hybrid-guard eni init ... | kubectl apply --server-side -f -
    """
    if output is None and sys.stdout.isatty():
        raise click.UsageError(
            "the result holds the credentials: give --output F, or pipe it into "
            "`kubectl apply --server-side -f -`"
        )
    pair = _pair(file)
    data = template.data(_settings(pair, **given))
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }
    _refuse_findings(manifest)
    text = yaml.dump(manifest, Dumper=_Blocks, sort_keys=False, allow_unicode=True)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        click.echo(f"wrote {output} (mode 600)", err=True)


def _pair(file: str | None) -> tuple[str, str]:
    if file is not None:
        try:
            return credentials.read(file)
        except FileError as error:
            raise options.failure(error) from None
    pair = os.environ.get(_ID, ""), os.environ.get(_SECRET, "")
    if not all(pair):
        raise click.UsageError(f"no credentials: give --credentials F, or set {_ID} and {_SECRET}")
    return pair


def _settings(  # the flags, as click names them
    pair: tuple[str, str],
    *,
    vswitches: tuple[str, ...],
    groups: tuple[str, ...],
    service_cidr: str | None,
    **rest: Any,
) -> Settings:
    ask = _asker(
        [
            ("--vswitch ZONE=ID", not vswitches),
            ("--security-group ID", not groups),
            ("--service-cidr CIDR", not service_cidr),
        ]
    )
    listed = vswitches or tuple(ask("vSwitches, as ZONE=ID with blanks between").split())
    return Settings(
        access_key=pair[0],
        access_secret=pair[1],
        vswitches=_zones(listed),
        security_groups=groups or tuple(ask("Security groups, with blanks between").split()),
        service_cidr=service_cidr or ask("Service CIDR, as IPv4 or IPv4,IPv6"),
        **rest,
    )


def _asker(missing: list[tuple[str, bool]]) -> Callable[[str], str]:
    """Return what asks a person, or refuse where there is none."""
    flags = [flag for flag, is_missing in missing if is_missing]
    if flags and not sys.stdin.isatty():
        raise click.UsageError(f"missing {', '.join(flags)}, and nobody to ask on this input")

    def ask(question: str) -> str:
        answer: str = click.prompt(question, err=True)
        return answer.strip()

    return ask


def _zones(pairs: tuple[str, ...]) -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    for pair in pairs:
        zone, equals, vswitch = pair.partition("=")
        if not (zone and equals and vswitch):
            raise click.UsageError("a vSwitch is written ZONE=ID, as cn-hangzhou-g=vsw-bp1...")
        zones.setdefault(zone, []).append(vswitch)
    return zones


def _refuse_findings(manifest: dict[str, Any]) -> None:
    """Tell what the rules say; what they deny is not written."""
    found = lint.lint(document.read(manifest, "inline"))
    errors = [finding for finding in found if finding.level is Level.ERROR]
    for finding in found if not errors else ():
        click.echo(f"{finding.level}: {finding}", err=True)
    if errors:
        lines = [f"{finding}\n  fix: {finding.fix}" for finding in errors]
        raise options.Failure("\n".join(["nothing was written:", *lines]))


def _write(output: Path, text: str) -> None:
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _WORLD_BLIND)
    except FileExistsError:
        raise options.Failure(
            f"{output}: it exists, and nothing is overwritten\n  fix: name a new file"
        ) from None
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise options.NotReachedError(f"{output}: {reason}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
