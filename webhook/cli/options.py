"""Options that several verbs take, and the errors they turn into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from webhook.cli import COULD_NOT_LOOK, USAGE
from webhook.files import policies
from webhook.files.errors import FileError
from webhook.policy import parse
from webhook.policy.model import Policy
from webhook.policy.words import Network, Placement
from webhook.settings import terminal

if TYPE_CHECKING:  # the client takes a third of a second to import
    from webhook.kube.cluster import Cluster

F = TypeVar("F", bound=Callable[..., Any])


class Failure(click.ClickException):
    """An error of the input: printed as it is, to standard error."""

    exit_code = USAGE

    def show(self, file: Any = None) -> None:
        """Print the message alone: it names its file itself."""
        click.echo(self.message, err=True, file=file)


class NotReachedError(Failure):
    """Something could not be looked at, or not be written, at all."""

    exit_code = COULD_NOT_LOOK


def failure(error: FileError) -> Failure:
    """Return the failure of a file: 3 where it could not be looked at, else 2."""
    return (NotReachedError if error.unreadable else Failure)(str(error))


def policy(command: F) -> F:
    """Add --policy and --network, one of which says what the verb decides by."""
    option = click.option(
        "--network",
        type=click.Choice([network.value for network in Network]),
        help="The on-prem CNI's data path; the catalogue alone decides.",
    )
    file = click.option(
        "--policy", "policy_file", metavar="F", type=click.Path(path_type=Path),
        help="The policy file.",
    )  # fmt: skip
    return file(option(command))


def load(policy_file: Path | None, network: str | None) -> Policy:
    """Return the policy the two options ask for."""
    if (policy_file is None) == (network is None):
        raise click.UsageError(
            "give either --policy F or --network overlay|bgp|host (what moves packets between "
            "the on-prem nodes; `hybrid-guard detect` finds it out)"
        )
    if network is not None:
        return parse.for_network(Network(network))
    try:
        return policies.load(policy_file or Path())
    except FileError as error:
        raise failure(error) from None
    except policies.PolicyFileError as error:
        raise Failure(str(error)) from None


def painter() -> Callable[[str, str], str]:
    """Return what colours words where a person reads them, and leaves them alone elsewhere."""
    return _painted if terminal().colour else _plain


def _painted(words: str, colour: str) -> str:
    return click.style(words, bold=True) if colour == "bold" else click.style(words, fg=colour)


def _plain(words: str, _colour: str) -> str:
    return words


def namespace_labels(command: F) -> F:
    """Add --namespace-label, for what Namespace documents in the input do not say."""
    return click.option(
        "--namespace-label", "namespace_label", metavar="NS=SIDE", multiple=True,
        help="The hybrid-guard.io/placement label of a namespace (repeatable).",
    )(command)  # fmt: skip


def placements(pairs: tuple[str, ...]) -> dict[str, Placement]:
    """Return the placements that --namespace-label gives."""
    found = {}
    for pair in pairs:
        namespace, _, side = pair.partition("=")
        if not namespace or side not in set(Placement):
            raise click.UsageError(
                f"--namespace-label {pair}: write NS=on-prem, NS=cloud or NS=any"
            )
        found[namespace] = Placement(side)
    return found


def connection(command: F) -> F:
    """Add --kubeconfig and --context."""
    context = click.option(
        "--context", metavar="NAME", help="The context of the kubeconfig to use."
    )
    file = click.option(
        "--kubeconfig", metavar="F", type=click.Path(path_type=Path),
        help="The kubeconfig, instead of what KUBECONFIG says.",
    )  # fmt: skip
    return file(context(command))


def cluster(wanted: str) -> Callable[[F], F]:
    """Add --cluster, of which `wanted` is the help, and --kubeconfig and --context for it."""
    option = click.option("--cluster", is_flag=True, help=wanted)
    return lambda command: option(connection(command))


def check_cluster(
    *, cluster: bool, kubeconfig: Path | None, context: str | None, paths: tuple[str, ...] = ()
) -> None:
    """Refuse files beside --cluster, and the options of --cluster without it."""
    if cluster and paths:
        raise click.UsageError("give files or --cluster, not both")
    if (kubeconfig or context) and not cluster:
        raise click.UsageError("--kubeconfig and --context are for --cluster")


def connect(kubeconfig: Path | None, context: str | None) -> Cluster:
    """Return a connection to the cluster. Raises NotReachedError."""
    from webhook.kube.cluster import Cluster, ClusterError  # noqa: PLC0415

    try:
        return Cluster(kubeconfig, context)
    except ClusterError as error:
        raise not_reached(error) from None


def not_reached(error: Exception) -> NotReachedError:
    """Return the failure of a cluster that cannot be looked at."""
    fix = "fix: set KUBECONFIG or give --kubeconfig F"
    return NotReachedError(f"cannot look at the cluster: {error}\n  {fix}")
