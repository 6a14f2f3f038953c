"""`hybrid-certs ensure|run|check`: bootstrap, renewal, and the caBundle of the hooks."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM, set_wakeup_fd, signal
from typing import Any, TypeVar

import click

from certs import names, pem, program, renewal
from certs.inject import Configurations, Hooks, InjectError, NoHooks
from certs.issue import Authority
from certs.kube import ApiError, Kube
from certs.lease import Lease
from certs.renewal import Leaf, Plan, Step
from certs.rotate import Rotator
from certs.served import Endpoints
from certs.store import DirectoryStore, SecretStore, StoreError

DUE, USAGE, COULD_NOT_LOOK = 1, 2, 3
DAY_SECONDS = 86_400
INTERVAL = 20.0  # a wiped caBundle is repaired within 60 s, a lost Lease included
_ERRORS = (StoreError, InjectError, ApiError)
F = TypeVar("F", bound=Callable[..., Any])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class NotReachedError(click.ClickException):
    """Something could not be looked at, or not be written."""

    exit_code = COULD_NOT_LOOK


class RefusedError(click.ClickException):
    """A value that cannot be used: one line, which names its option."""

    exit_code = USAGE


def _checked(check: Callable[[Any], object]) -> Callable[..., Any]:
    """Return an option's callback; `check` raises ValueError with what is wrong and the fix."""

    def callback(_ctx: click.Context, option: click.Parameter, value: Any) -> Any:
        for given in value if isinstance(value, tuple) else (value,):
            try:
                if given is not None:
                    check(given)
            except ValueError as error:
                raise RefusedError(f"{option.opts[0]} {given!r}: {error}") from None
        return value

    return callback


def _check_seconds(seconds: float) -> None:
    if not 0 < seconds <= DAY_SECONDS:
        raise ValueError(f"write more than 0 and at most a day's {DAY_SECONDS:g}")


_LABEL, _OBJECT = _checked(names.label), _checked(names.subdomain)


def _common(command: F) -> F:
    """Add what says where the certificates are and for whom."""
    for option in (
        click.option("--namespace", callback=_LABEL, metavar="NS",
                     help="Keep them in a Secret of this namespace."),
        click.option("--secret", callback=_OBJECT, default="hybrid-guard-tls", show_default=True,
                     metavar="NAME"),
        click.option("--service", callback=_LABEL, default="hybrid-guard", show_default=True,
                     metavar="NAME"),
        click.option("--configuration", callback=_OBJECT, default="hybrid-guard", show_default=True,
                     metavar="NAME", help="The webhook configurations whose hooks trust the CA."),
        click.option("--cluster-domain", callback=_checked(names.dns), default="cluster.local",
                     show_default=True, metavar="NAME"),
        click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="F"),
        click.option("--directory", type=click.Path(path_type=Path), metavar="D",
                     help="Keep them in a directory instead; then --host says for which names."),
        click.option("--host", "hosts", callback=_checked(names.host), multiple=True,
                     metavar="NAME", help="One more DNS name or IP address. Repeatable."),
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

    Exit status: 0 all is fresh, 2 usage, 3 something could not be read or written.
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
@click.option("--lease", callback=_OBJECT, metavar="NAME",
              help="Only the holder of this Lease rotates.")  # fmt: skip
@click.option("--interval", type=float, callback=_checked(_check_seconds), default=INTERVAL,
              show_default=True, metavar="SECONDS")  # fmt: skip
def run(lease: str | None, interval: float, **given: Any) -> None:
    """Keep them fresh, and the caBundle in place, until told to stop.

    \b
    Examples:
      hybrid-certs run --namespace kube-system --lease hybrid-guard-certs

    What fails is told, and tried again.

    Exit status: 0 it was told to stop, 2 usage, 3 there is no usable kubeconfig.
    """
    with _told_to_stop() as told_within:
        rotator = _rotator(**given)
        held = _lease(lease, **given)
        _attempt(rotator, held)
        while not told_within(interval):
            _attempt(rotator, held)
        if held is not None:
            _release(held)


@cli.command()
@_common
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check(ctx: click.Context, /, as_json: bool, **given: Any) -> None:  # noqa: FBT001  # click's signature
    """Tell what is wrong and what `run` would do next, and change nothing.

    \b
    Examples:
      hybrid-certs check --namespace kube-system
      hybrid-certs check --directory tls/ --host guard.example.com --json

    Exit status: 0 all is fresh, 1 something is due or no hook trusts the CA, 2 usage, 3 could not
    look.
    """
    rotator, now = _rotator(**given), _now()
    try:
        _, seen = rotator.look(now)
    except _ERRORS as error:
        raise NotReachedError(str(error)) from None
    plan, trusted = renewal.plan(seen, rotator.hosts, now), renewal.trusted(seen, now)
    wrong = [renewal.told({file: why}) for file, why in seen.broken.items()]
    if given["directory"] is None and not seen.hooks:
        wrong.append(_no_hooks(given["configuration"]))
    report = {
        "fresh": plan.step is Step.NOTHING and not wrong,
        "step": plan.step.value,
        "reason": plan.reason,
        "wrong": wrong,
        "leafEnds": _end(seen.leaf),
        "caEnds": _end(seen.current),
        "hooks": len(seen.hooks),
        "trusted": [pem.fingerprint(ca) for ca in trusted],
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        would = "" if plan.step is Step.NOTHING else "`hybrid-certs run` would "
        click.echo("\n".join([*wrong, f"{would}{plan.step.value}: {plan.reason}"]))
        click.echo(f"leaf ends {report['leafEnds'] or '-'}, CA ends {report['caEnds'] or '-'}")
        click.echo(f"{len(seen.hooks)} hooks, {len(trusted)} CAs trusted")
    ctx.exit(0 if report["fresh"] else DUE)


def _attempt(rotator: Rotator, held: Lease | None) -> None:
    try:
        if held is None or held.held():
            _round(rotator)
    except (click.ClickException, *_ERRORS) as error:
        _say("error", message=getattr(error, "message", None) or str(error))
    except Exception as error:  # noqa: BLE001  # a fault of ours must not end the rotation
        _say("error", message=f"a fault of hybrid-certs: {type(error).__name__}")


@contextlib.contextmanager
def _told_to_stop() -> Iterator[Callable[[float], bool]]:
    """Yield what waits for SIGTERM or SIGINT, at most so many seconds, and says whether one came.

    A descriptor does, since no lock of Python's is safe here: a handler that sets the Event which
    its own thread waits for may wait for itself, and a SimpleQueue's short time-outs may never end.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in (SIGTERM, SIGINT):
        signal(number, lambda *_: None)
    poll = select.poll()
    poll.register(told, select.POLLIN)
    try:
        yield lambda seconds: bool(poll.poll(seconds * 1000))
    finally:
        set_wakeup_fd(before)
        os.close(told)
        os.close(tell)


def _no_hooks(configuration: str) -> str:
    return (
        f"no hooks at all: neither a MutatingWebhookConfiguration nor a Validating one is named "
        f"{configuration} and has some, so nothing asks the server; install the chart, or give "
        "--configuration NAME"
    )


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
    own = _service_names(service, namespace or "", cluster_domain)
    kube = _kube(kubeconfig)
    hooks: Hooks = Configurations(kube, configuration)
    endpoints = Endpoints(kube, namespace or "", service)
    store = SecretStore(kube, namespace or "", secret)
    return Rotator(store=store, hooks=hooks, hosts=(*own, *hosts), settled=endpoints.settled)


def _service_names(service: str, namespace: str, cluster_domain: str) -> tuple[str, ...]:
    """Return what a Service is called; the first is the one that the API server verifies."""
    name = f"{service}.{namespace}.svc"
    try:
        full = names.dns(f"{name}.{cluster_domain}")
    except names.UnusableNameError as error:
        raise RefusedError(f"--cluster-domain behind {name}: {error}") from None
    return (name, service, f"{service}.{namespace}", full)


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
    program.run(cli, "hybrid-certs")
