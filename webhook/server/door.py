"""The accept, which is ours: each socket is counted, bounded, timed and balanced from here on.

asyncio's own servers tell of a connection only after its handshake, up to a minute after accept.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable

from webhook.server import memory
from webhook.server.connection import HANDSHAKE_SECONDS, Connection
from webhook.server.loads import Loads
from webhook.server.service import Service
from webhook.server.tls import Pair
from webhook.telemetry import metrics

CONNECTIONS = 1000
"""Of one worker, its files allowing."""
UNPROVEN = 500
"""Of them without a valid review so far, from one address or from all. An API server opens up to
two for each write under way, one a hook: 200 parallel writes are 200 a worker."""
HELD = 64 * 1024 * 1024
"""Bytes of bodies that have no turn."""
MANY = 500
"""Connections that have ended, after which the heap is trimmed: 2 ms."""
_FILES_KEPT = 100  # for what is no connection
SWEEP_SECONDS = 0.25
_STAND_BACK_SECONDS = 0.005
_SHUTDOWN_SECONDS = 1.0


class Door:
    """Takes connections from a listener for one worker, until it is closed."""

    def __init__(
        self,
        service: Service,
        listener: socket.socket,
        pair: Callable[[], Pair],
        loads: Loads,
        slot: int,
    ) -> None:
        self._service = service
        self._loop = service.loop
        self._listener = listener
        self._pair = pair
        self._loads = loads
        self._slot = slot
        self._most = min(CONNECTIONS, _files() - _FILES_KEPT)
        self._open: dict[Connection, None] = {}  # the oldest first, as are the next two
        self._unproven: dict[Connection, None] = {}
        self._held: dict[Connection, int] = {}
        self._held_size = 0
        self._sockets: dict[Connection, socket.socket] = {}  # that shake hands
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._swept = time.monotonic()
        self._was_late = False
        self._ended = 0  # since memory was given back

    def __len__(self) -> int:
        """Return how many connections it holds."""
        return len(self._open)

    def open(self) -> None:
        """Begin to take connections."""
        self._sweep()
        self._listen()

    def close(self) -> None:
        """Take no more connections; those that are here go on."""
        self._is_closed = True
        self._loop.remove_reader(self._listener)
        self._loads.leave(self._slot)

    def cut(self, connections: Callable[[Connection], bool]) -> None:
        """End some connections at once."""
        for connection in [each for each in self._open if connections(each)]:
            self._cut(connection)

    # Accept.

    def _listen(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)

    def _stand_back(self) -> None:
        self._loop.remove_reader(self._listener)
        self._loop.call_later(_STAND_BACK_SECONDS, self._listen)

    def _accept(self) -> None:
        """Take one connection, and leave the next to the rest of the loop and to idler siblings."""
        if self._loads.has_idler(self._slot, time.monotonic()):
            self._stand_back()
            return
        try:
            client, address = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError:  # no file or memory for it
            metrics.turned_away("files")
            self._stand_back()
            return
        self._admit(client, address[0])

    def _admit(self, client: socket.socket, source: str) -> None:
        """Make room for a connection, and shake hands."""
        own = [each for each in self._unproven if each.source == source]
        if len(own) >= UNPROVEN:
            self._turn_away(own[0], "source")
        elif len(self._unproven) >= UNPROVEN:
            self._turn_away(next(iter(self._unproven)), "unproven")
        elif len(self._open) >= self._most and self._unproven:
            self._turn_away(next(iter(self._unproven)), "full")
        is_full = len(self._open) >= self._most
        if is_full:
            metrics.turned_away("full")
        client.setblocking(False)  # noqa: FBT003  # socket's signature
        connection = Connection(self._service, self, source, is_full=is_full)
        self._open[connection] = self._unproven[connection] = None
        self._sockets[connection] = client
        self._tell()
        task = self._loop.create_task(self._shake_hands(connection, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shake_hands(self, connection: Connection, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                client,
                ssl=self._pair().context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
            )
        except OSError:  # no TLS, none in time, or gone
            connection.connection_lost(None)
            client.close()

    # What a connection tells.

    def opened(self, connection: Connection) -> None:
        """Count a connection whose handshake is done."""
        self._sockets.pop(connection, None)
        metrics.connected()

    def proved(self, connection: Connection) -> None:
        """Keep a connection, whoever else comes."""
        self._unproven.pop(connection, None)

    def held(self, connection: Connection, size: int) -> None:
        """Bound the bytes of all bodies that have no turn: the oldest holder goes."""
        self._held_size += size - self._held.pop(connection, 0)
        if size:
            self._held[connection] = size
        while self._held_size > HELD and len(self._held) > 1:
            self._turn_away(next(iter(self._held)), "memory")

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self.held(connection, 0)
        self._sockets.pop(connection, None)
        self._unproven.pop(connection, None)
        if self._open.pop(connection, self) is None:
            self._ended += 1
            self._tell()

    # Ends.

    def _turn_away(self, connection: Connection, reason: str) -> None:
        metrics.turned_away(reason)
        self._cut(connection)

    def _cut(self, connection: Connection) -> None:
        """End a connection; one that shakes hands by its socket, which is all there is of it."""
        client = self._sockets.pop(connection, None)
        if client is not None:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        connection.cut()
        self.closed(connection)

    def _sweep(self) -> None:
        """Cut off whoever is late, and tell siblings and metrics how many are here.

        Where the loop itself was late, what clients sent in time is still to be read: then nobody
        is cut off until the next sweep.
        """
        now = time.monotonic()
        is_late = now - self._swept > 2 * SWEEP_SECONDS
        if not is_late or self._was_late:
            self.cut(lambda connection: connection.deadline < now)
        self._swept, self._was_late = now, is_late
        self._service.turns.hurry(now)
        if self._ended > MANY:
            self._ended = 0
            memory.trim()
        self._tell()
        metrics.connections_open(len(self._open))
        self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _tell(self) -> None:
        if not self._is_closed:
            self._loads.tell(self._slot, len(self._open), time.monotonic())


def _files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
