"""What a path means, and one decision: bytes in, bytes out. No connection is known here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from webhook.admission import exchange
from webhook.admission.review import Hook, ReviewError
from webhook.admission.strict import StrictJSONError
from webhook.policy.model import Policy
from webhook.policy.words import Placement
from webhook.server.answers import CallError
from webhook.server.flag import Flag
from webhook.telemetry import logs, metrics

BREAK_GLASS = "/validate/break-glass/"
"""Below it a path answers as /validate does. When the API server cannot reach a hook, its name and
path are all of ours that a user is shown, so the path spells out the command that takes it away."""
BUSY = "too many large reviews came at once; apply it again"


class ClientAuth(StrEnum):
    """Whether callers of the hooks bring a certificate of the client CA."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the server asks: the policy, and why it is not ready (None when it is).

    `certificate_seen` is raised by the first review of a caller with a certificate.
    """

    policy: Callable[[], Policy]
    not_ready: Callable[[], str | None]
    client_auth: ClientAuth = ClientAuth.OFF
    certificate_seen: Flag = field(default_factory=Flag)


@dataclass(frozen=True, slots=True)
class Route:
    """A hook, and the placement that the label of a namespace gives."""

    hook: Hook
    placement: Placement | None


_ROUTES = {
    f"/{hook}{below}": Route(hook, placement)
    for hook in Hook
    for below, placement in (
        ("", None),
        (f"/{Placement.ON_PREM}", Placement.ON_PREM),
        (f"/{Placement.CLOUD}", Placement.CLOUD),
    )
}
_BREAK_GLASS = _ROUTES[f"/{Hook.VALIDATE}"]


def route(path: str) -> Route | None:
    """Return what a path asks for, None where it is no hook's."""
    return _ROUTES.get(path) or (_BREAK_GLASS if path.startswith(BREAK_GLASS) else None)


def decide(route: Route, body: bytes, policy: Policy, *, is_whole: bool = True) -> bytes:
    """Answer the review in `body`, count it and write its line.

    Of a body that is not whole the head is judged. Raises CallError for a bad call, and for a
    fault of ours a 500: never an approval or a denial by accident.
    """
    return _decided(route, body, policy, None, is_whole=is_whole)


def decide_from_head(route: Route, head: bytes, policy: Policy) -> bytes:
    """Answer a review that has no turn by what has come of it: nothing slips past a busy server.

    Raises CallError where that tells too little.
    """
    try:
        return _decided(route, head, policy, BUSY, is_whole=False)
    except CallError:
        raise CallError(503, "too many large bodies at once") from None


def _decided(
    route: Route, body: bytes, policy: Policy, beyond: str | None, *, is_whole: bool
) -> bytes:
    started = time.perf_counter()
    try:
        answer, record = exchange.answer(
            route.hook, body, policy,
            namespace_placement=route.placement, is_whole=is_whole, beyond=beyond,
        )  # fmt: skip
    except (StrictJSONError, ReviewError) as error:
        if is_whole:
            raise CallError(400, str(error)) from None
        raise CallError(413, "the body is too large") from None
    except Exception as error:  # noqa: BLE001  # never an approval or a denial by accident
        failed(error)
        raise CallError(500, "internal error") from None
    seconds = time.perf_counter() - started
    metrics.decided(record, seconds)
    logs.decision(record, seconds * 1000)
    return answer


def failed(error: BaseException) -> None:
    """Tell of what nobody expected: its type and place, as its text may hold what was sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    logs.event("internal-error", type=type(error).__name__, at=place)
