"""Where an audit's objects come from: files of any length, or a live cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from webhook.audit.origin import Live, Origin
from webhook.cli import COULD_NOT_LOOK, objects, options
from webhook.cli.progress import Progress
from webhook.owners import Forgery
from webhook.policy.model import Policy
from webhook.policy.words import Placement

Walk = Iterator[tuple[dict[str, Any], Origin]]
Placements = dict[str, Placement]


class Source(Protocol):
    """What yields objects once, and then knows what it could not read."""

    @property
    def live(self) -> bool:
        """Whether what it does not yield is not there."""

    @property
    def status(self) -> int:
        """The exit status that this asks for."""

    @property
    def whole(self) -> bool:
        """Whether it came to its end."""

    @property
    def blind(self) -> frozenset[str]:
        """The resources that exist, and could not be read."""

    @property
    def forgeries(self) -> Sequence[Forgery]:
        """The owners that are none, where it can tell."""

    def walk(self, placements: Placements) -> Walk:
        """Fill in what namespaces say, then yield the objects."""

    def serves(self, api: str) -> bool:
        """Tell whether it is a cluster that serves an API, such as `apps/v1`."""

    def tell(self, *, each: bool) -> None:
        """Say what was not looked at, of files one by one if `each`."""


class Files:
    """Files, folders and standard input."""

    live = False
    blind: frozenset[str] = frozenset()
    forgeries: Sequence[Forgery] = ()
    whole = True

    def __init__(self, paths: tuple[str, ...], given: Placements, progress: Progress) -> None:
        self._reading = objects.Reading(paths, progress.say)
        self._given = given
        self._progress = progress

    @property
    def status(self) -> int:
        """The worst of what was broken or missing."""
        return self._reading.status

    def walk(self, placements: Placements) -> Walk:
        """Read the namespaces first, wherever they stand."""
        placements.update(self._reading.placements(self._given))
        inputs = self._reading.inputs
        size, inputs.done = inputs.size, 0
        for count, manifest in enumerate(self._reading.manifests()):
            self._progress.update(f"{count:,} objects", inputs.done / size if size else 0)
            yield manifest.object, manifest

    def serves(self, api: str) -> bool:
        """Nothing is served by files."""
        del api
        return False

    def tell(self, *, each: bool) -> None:
        """Say what is no manifest."""
        self._reading.tell_skipped(each=each)


class LiveCluster:
    """A cluster's API server."""

    live = True

    def __init__(
        self,
        kubeconfig: Path | None,
        context: str | None,
        *,
        policy: Policy,
        given: Placements,
        progress: Progress,
    ) -> None:
        connection = options.connect(kubeconfig, context)
        from webhook.kube.inventory import Inventory  # noqa: PLC0415  # imported by now, in part

        self.status = 0
        self.whole = True
        self._given = given
        self._progress = progress
        self._resource = ""
        self._connection = connection
        self._inventory = Inventory(connection, policy, self._watch)

    @property
    def blind(self) -> frozenset[str]:
        """The resources that were refused."""
        return frozenset(self._inventory.blind)

    @property
    def forgeries(self) -> Sequence[Forgery]:
        """The owners that are none, once all was listed."""
        return self._inventory.forgeries

    def walk(self, placements: Placements) -> Walk:
        """List page by page; an API server that stops answering ends it halfway."""
        from webhook.kube.cluster import ClusterError  # noqa: PLC0415  # imported by now

        origin = Live()
        try:
            placements |= objects.placements(self._inventory.namespaces(), self._given)
            for obj in self._inventory.objects():
                yield obj, origin
        except ClusterError as error:
            self.status, self.whole = COULD_NOT_LOOK, False
            self._progress.say(options.not_reached(error).message)

    def serves(self, api: str) -> bool:
        """Ask the API server, which tells it to anybody whom it knows."""
        return self._connection.serves(api)

    def tell(self, *, each: bool) -> None:
        """Say which kinds are missing in the report."""
        del each
        for resource, error in self._inventory.blind.items():
            self._progress.say(f"note: {resource} were not looked at: {error}")

    def _watch(self, resource: str, read: int, total: int) -> None:
        if resource != self._resource:
            self._resource = resource
            self._progress.restart()
        self._progress.update(f"{resource}: {read:,} of {total:,}", read / total)
