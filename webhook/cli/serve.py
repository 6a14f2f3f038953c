"""`hybrid-guard serve`: the webhook itself."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from webhook import settings
from webhook.cli import options
from webhook.files import policies
from webhook.server.serve import ServeOptions, run
from webhook.telemetry import logs

_POLL_SECONDS = 0.5


@click.command()
@options.policy
@click.option("--cert", "certificate", metavar="F", type=click.Path(path_type=Path),
              help="The certificate chain (PEM).")  # fmt: skip
@click.option("--key", metavar="F", type=click.Path(path_type=Path), help="Its key (PEM).")
@click.option("--cert-wait", metavar="SECONDS", type=click.FloatRange(0), default=0.0,
              help="Wait so long for both files to be written, then exit with 3.")  # fmt: skip
@click.option("--client-ca", metavar="F", type=click.Path(path_type=Path),
              help="Callers of the hooks bring a certificate of this CA.")  # fmt: skip
@click.option("--client-auth", type=click.Choice(["optional", "required"]), default="required",
              help="Whether they must (with --client-ca; required unless told).")  # fmt: skip
@click.option("--drain", "drain_seconds", metavar="SECONDS", type=click.FloatRange(0), default=0.0,
              help="After SIGTERM serve so long; an answer ends its connection.")  # fmt: skip
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 lets the system choose.")
@click.option("--dev", is_flag=True, help="Self-signed in memory, 127.0.0.1, network bgp.")
def command(
    policy_file: Path | None,
    network: str | None,
    certificate: Path | None,
    key: Path | None,
    cert_wait: float,
    client_ca: Path | None,
    client_auth: str,
    drain_seconds: float,
    host: str | None,
    port: int | None,
    dev: bool,  # noqa: FBT001  # click passes by name
) -> None:
    """Run the webhook over TLS until SIGTERM, or a second one where --drain is given.

    The certificate and policy files are read again when they change; the last good ones stay.

    \b
    Examples:
      hybrid-guard serve --dev
      hybrid-guard serve --policy policy.yaml --cert tls.crt --key tls.key
    """
    if dev and policy_file is None and network is None:
        network = "bgp"
    options.load(policy_file, network)  # says what is wrong before anything starts
    with ExitStack() as stack:
        if dev and certificate is None and key is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hybrid-guard-dev-"))
            certificate, key = _dev_pair(Path(folder))
        if certificate is None or key is None:
            raise click.UsageError("give --cert F and --key F, or --dev")
        _wait_for((certificate, key), cert_wait)
        serve_options = ServeOptions(
            host=(settings.DEV_HOST if dev else settings.HOST) if host is None else host,
            port=settings.PORT if port is None else port,
            certificate=certificate,
            key=key,
            load_policy=lambda content: (
                policies.parse_bytes(content, str(policy_file))
                if policy_file
                else options.load(None, network)
            ),
            policy_path=policy_file,
            client_ca=client_ca,
            client_auth=client_auth,
            drain_seconds=drain_seconds,
        )
        try:
            run(serve_options)
        except ValueError as error:
            raise options.Failure(str(error)) from None


def _wait_for(files: tuple[Path, ...], seconds: float) -> None:
    """Wait until the files are there; what is wrong with them is told when they are loaded."""
    end = time.monotonic() + seconds
    if not seconds or not _missing(files):
        return
    logs.event("waiting-for-certificate", files=[str(file) for file in files])
    while missing := _missing(files):
        if time.monotonic() >= end:
            raise options.NotReachedError(
                f"{missing[0]}: still missing after {seconds:g} s; whatever writes it has not yet, "
                "or a mounted Secret shows it to a restarted container only"
            )
        time.sleep(min(_POLL_SECONDS, seconds))


def _missing(files: tuple[Path, ...]) -> list[Path]:
    return [file for file in files if not file.exists()]


def _dev_pair(folder: Path) -> tuple[Path, Path]:
    """Write a pair that lives as long as the server, in a folder only its user may read."""
    from certs import issue  # noqa: PLC0415

    pair = issue.dev_pair(("localhost", "127.0.0.1", "::1"))
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(pair.certificate + pair.authority)
    key.touch(mode=0o600)
    key.write_bytes(pair.key)
    return certificate, key
