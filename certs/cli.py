"""`hybrid-certs ensure|run|check`: bootstrap, renewal, and the caBundle of the hooks."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM, signal
from typing import Any, TypeVar

import click

from certs import renewal
from certs.inject import Configurations, Hooks, InjectError, NoHooks
from certs.issue import Authority
from certs.kube import ApiError, Kube
from certs.lease import Lease
from certs.renewal import Leaf, Plan, Step
from certs.rotate import Rotator, observe
from certs.served import Endpoints
from certs.store import DirectoryStore, SecretStore, StoreError

DUE, USAGE, COULD_NOT_LOOK = 1, 2, 3
INTERVAL = 20.0  # a wiped caBundle is repaired within 60 s, a lost Lease included
_ERRORS = (StoreError, InjectError, ApiError)
F = TypeVar("F", bound=Callable[..., Any])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class NotReachedError(click.ClickException):
    """Something could not be looked at, or not be written."""

    exit_code = COULD_NOT_LOOK


def _common(command: F) -> F:
    """Add what says where the certificates are and for whom."""
    for option in (
        click.option("--namespace", metavar="NS", help="Keep them in a Secret of this namespace."),
        click.option("--secret", default="hybrid-guard-tls", show_default=True, metavar="NAME"),
        click.option("--service", default="hybrid-guard", show_default=True, metavar="NAME"),
        click.option("--configuration", default="hybrid-guard", show_default=True, metavar="NAME",
                     help="The webhook configurations whose hooks trust the CA."),
        click.option("--cluster-domain", default="cluster.local", show_default=True),
        click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="F"),
        click.option("--directory", type=click.Path(path_type=Path), metavar="D",
                     help="Keep them in a directory instead; then --host says for which names."),
        click.option("--host", "hosts", multiple=True, metavar="NAME", help="Repeatable."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The certificates of hybrid-guard's webhook.

    \b
    Examples:
      hybrid-certs run --namespace kube-system --lease hybrid-guard-certs
      hybrid-certs check --namespace kube-system --json
      hybrid-certs ensure --directory tls/ --host guard.example.com
    """


@cli.command()
@_common
def ensure(**given: Any) -> None:
    """Do what is due, and end when all is fresh.

    A CA that was just published gets a minute before anything is signed with it.

    \b
    Examples:
      hybrid-certs ensure --namespace kube-system
      hybrid-certs ensure --directory tls/ --host guard.example.com --host 192.0.2.1
    """
    rotator = _rotator(**given)
    pause = threading.Event()
    while True:
        last = _round(rotator)
        if last is None:
            raise NotReachedError("the steps do not come to an end: is another rotator at work?")
        if last.step is not Step.WAIT:
            return
        pause.wait(max(0.0, (last.again - _now()).total_seconds()))


@cli.command()
@_common
@click.option("--lease", metavar="NAME", help="Only the holder of this Lease rotates.")
@click.option("--interval", type=float, default=INTERVAL, show_default=True, help="Seconds.")
def run(lease: str | None, interval: float, **given: Any) -> None:
    """Keep them fresh, and the caBundle in place, until told to stop.

    \b
    Examples:
      hybrid-certs run --namespace kube-system --lease hybrid-guard-certs
    """
    stop = threading.Event()
    for number in (SIGTERM, SIGINT):
        signal(number, lambda *_: stop.set())
    rotator = _rotator(**given)
    held = _lease(lease, **given)
    while not stop.is_set():
        try:
            if held is None or held.held():
                _round(rotator)
        except (click.ClickException, *_ERRORS) as error:
            _say("error", message=getattr(error, "message", None) or str(error))
        stop.wait(interval)
    if held is not None:
        _release(held)


@cli.command()
@_common
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check(ctx: click.Context, /, as_json: bool, **given: Any) -> None:  # noqa: FBT001  # click's signature
    """Tell what is due, and change nothing.

    \b
    Examples:
      hybrid-certs check --namespace kube-system
      hybrid-certs check --directory tls/ --host guard.example.com --json

    Exit status: 0 all is fresh, 1 something is due, 2 usage, 3 could not look.
    """
    rotator, now = _rotator(**given), _now()
    try:
        snapshot = rotator.store.read()
        seen = observe(snapshot.data, rotator.hooks.bundles())
    except _ERRORS as error:
        raise NotReachedError(str(error)) from None
    plan = renewal.plan(seen, rotator.hosts, now)
    report = {
        "fresh": plan.step is Step.NOTHING,
        "step": plan.step.value,
        "reason": plan.reason,
        "leafEnds": _end(seen.leaf),
        "caEnds": _end(seen.current),
        "hooks": len(seen.hooks),
        "trusted": [renewal.fingerprint(ca) for ca in renewal.trusted(seen, now)],
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        click.echo(f"{plan.step.value}: {plan.reason}")
        click.echo(f"leaf ends {report['leafEnds']}, CA ends {report['caEnds']}")
        click.echo(f"{len(seen.hooks)} hooks, {len(renewal.trusted(seen, now))} CAs trusted")
    ctx.exit(0 if plan.step is Step.NOTHING else DUE)


def _end(held: Authority | Leaf | None) -> str | None:
    return held.certificate.not_valid_after_utc.isoformat() if held else None


def _round(rotator: Rotator) -> Plan | None:
    """Do what can be done now; return the plan to rest on, None where there is no end."""
    last: Plan | None = None
    try:
        for plan in rotator.steps(_now):
            last = plan
            if plan.step is not Step.NOTHING:
                _say("step", step=plan.step.value, reason=plan.reason)
    except _ERRORS as error:
        raise NotReachedError(str(error)) from None
    rests = last is not None and last.step in (Step.NOTHING, Step.WAIT)
    return last if rests else None


def _rotator(  # the options of every verb
    *,
    namespace: str | None,
    secret: str,
    service: str,
    configuration: str,
    cluster_domain: str,
    kubeconfig: Path | None,
    directory: Path | None,
    hosts: tuple[str, ...],
) -> Rotator:
    if (namespace is None) == (directory is None):
        raise click.UsageError("give either --namespace NS or --directory D")
    if directory is not None:
        if not hosts:
            raise click.UsageError("--directory needs --host NAME: what callers verify")
        return Rotator(store=DirectoryStore(directory), hooks=NoHooks(), hosts=hosts)
    name = f"{service}.{namespace}.svc"
    names = (name, service, f"{service}.{namespace}", f"{name}.{cluster_domain}", *hosts)
    kube = _kube(kubeconfig)
    hooks: Hooks = Configurations(kube, configuration)
    endpoints = Endpoints(kube, namespace or "", service)
    store = SecretStore(kube, namespace or "", secret)
    return Rotator(store=store, hooks=hooks, hosts=names, settled=endpoints.settled)


def _kube(kubeconfig: Path | None) -> Kube:
    try:
        return Kube(kubeconfig)
    except ApiError as error:
        raise NotReachedError(str(error)) from None


def _lease(
    name: str | None, *, namespace: str | None, kubeconfig: Path | None, **_: Any
) -> Lease | None:
    if name is None:
        return None
    if namespace is None:
        raise click.UsageError("--lease needs --namespace")
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
    identity = f"{socket.gethostname()}-{os.getpid()}"
    return Lease(_kube(kubeconfig), path, identity)


def _release(lease: Lease) -> None:
    try:
        lease.release()
    except ApiError as error:
        _say("error", message=f"the Lease was not given back: {error}")


def _say(event: str, **fields: str) -> None:
    """Write one JSON line to standard error: steps and errors, never a key."""
    line = {"time": _now().isoformat(), "event": event, **fields}
    click.echo(json.dumps(line), err=True)


def main() -> None:
    """Run the command line; every error is a line, never a traceback."""
    try:
        status = cli.main(prog_name="hybrid-certs", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
