"""What answers a call: in the loop where it is small, else in a thread beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import orjson

from webhook.server import app, hooks, memory
from webhook.server.answers import JSON, CallError
from webhook.server.app import Page
from webhook.server.hooks import Guard, Route
from webhook.server.turns import Turns

Outcome = bytes | Page | CallError
"""A review's answer, a page, or why there is neither."""
_PROBES = ("/livez", "/readyz")


class Service:
    """Of one worker. What goes on beside the loop is one body and one page at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, guard: Guard, is_ending: Callable[[], bool]
    ) -> None:
        self.loop = loop
        self.guard = guard
        self.is_ending = is_ending
        self.turns = Turns()
        self._app = app.create_app(guard)
        self._bodies = ThreadPoolExecutor(1, "bodies")
        self._pages = ThreadPoolExecutor(1, "pages")

    def decide(self, route: Route, body: bytes) -> bytes:
        """Answer a small review at once. Raises CallError."""
        if not body:
            raise CallError(400, "the body is empty")
        return hooks.decide(route, body, self.guard.policy())

    def decide_from_head(self, route: Route, head: bytes) -> bytes:
        """Answer a large review that has no turn. Raises CallError."""
        return hooks.decide_from_head(route, head, self.guard.policy())

    def decide_beside(
        self, route: Route, body: bytes, then: Callable[[Outcome], None], *, is_whole: bool
    ) -> None:
        """Answer a large review, which has its turn; what it took goes back to the system."""
        policy, held = self.guard.policy(), [body]
        del body

        def work() -> bytes:
            try:
                return hooks.decide(route, held.pop(), policy, is_whole=is_whole)
            finally:
                memory.trim()

        self._beside(self._bodies, work, then)

    def probe(self, path: str) -> Page | None:
        """Answer a probe at once; None for any other path."""
        if path not in _PROBES:
            return None
        if path == "/livez":
            return _page(200, {"status": "alive"})
        reason = self.guard.not_ready()
        if reason is None:
            return _page(200, {"status": "ready"})
        return _page(503, {"status": "not ready", "reason": reason})

    def page_beside(self, method: str, path: str, then: Callable[[Outcome], None]) -> None:
        """Ask Flask."""
        self._beside(self._pages, lambda: app.page(self._app, method, path), then)

    def _beside(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[], bytes | Page],
        then: Callable[[Outcome], None],
    ) -> None:
        def run() -> Outcome:
            try:
                return work()
            except CallError as error:
                return error
            except Exception as error:  # noqa: BLE001  # an error is always a JSON 500
                hooks.failed(error)
                return CallError(500, "internal error")

        future = self.loop.run_in_executor(pool, run)
        future.add_done_callback(lambda done: None if done.cancelled() else then(done.result()))


def _page(status: int, body: dict[str, str]) -> Page:
    return Page(status, orjson.dumps(body), JSON, "")
