"""Bytes in, bytes out: the whole way of one call, as the server and `review` take it."""

from __future__ import annotations

import orjson

from webhook.admission import handler, review, strict
from webhook.admission.record import Record
from webhook.admission.review import Hook
from webhook.policy.model import Policy
from webhook.policy.words import Placement


def answer(
    hook: Hook | None,
    body: bytes,
    policy: Policy,
    *,
    namespace_placement: Placement | None = None,
) -> tuple[bytes, Record]:
    """Answer the AdmissionReview in `body`; without a hook, the one it is meant for.

    Raises StrictJSONError or ReviewError for a bad call, PatchError for a mistake of ours.
    """
    request = review.decode(strict.loads(body))
    outcome = handler.handle(
        hook or handler.default_hook(request),
        request,
        policy,
        namespace_placement=namespace_placement,
    )
    return orjson.dumps(outcome.response.to_wire(request.uid)), outcome.record
