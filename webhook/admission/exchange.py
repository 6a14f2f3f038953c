"""Bytes in, bytes out: the whole way of one call, as the server and `review` take it."""

from __future__ import annotations

import contextlib

import orjson

from webhook.admission import handler, review, skim, strict
from webhook.admission.record import Record
from webhook.admission.review import Hook, Request, ReviewError
from webhook.admission.skim import CutsError, SkimError
from webhook.admission.strict import StrictJSONError
from webhook.policy.model import Policy
from webhook.policy.words import Placement

_MIB = 1024 * 1024
BODY_MAX = 32 * _MIB
"""Above what an API server sends: it takes 3 MiB, writes `<`, `>` and `&` as six bytes each, and
adds the stored object, of which etcd takes 1.5 MiB."""
HEAD_MAX = 4 * _MIB
"""Of a longer one: the API server writes who asks and the object's metadata first."""

_DEEP = f"it nests over {skim.DEPTH_MAX - 10} levels"
_MANY = f"it holds over {strict.COST_MAX} items"
_LONG = f"its review is over {BODY_MAX // _MIB} MiB"


def answer(
    hook: Hook | None,
    body: bytes,
    policy: Policy,
    *,
    namespace_placement: Placement | None = None,
    is_whole: bool = True,
    beyond: str | None = None,
) -> tuple[bytes, Record]:
    """Answer the AdmissionReview in `body`; without a hook, the one it is meant for.

    Of a body over BODY_MAX the first HEAD_MAX bytes are enough (`is_whole` is False then);
    `beyond` says what another bound is, beyond which a body was not read to its end.
    Raises StrictJSONError or ReviewError for a bad call, PatchError for a mistake of ours.
    """
    request = _request(body, policy, beyond or _LONG, is_whole=is_whole and len(body) <= BODY_MAX)
    outcome = handler.handle(
        hook or handler.default_hook(request),
        request,
        policy,
        namespace_placement=namespace_placement,
    )
    return orjson.dumps(outcome.response.to_wire(request.uid)), outcome.record


def _request(body: bytes, policy: Policy, beyond: str, *, is_whole: bool) -> Request:
    """Read a review: whole as a rule, else without what nobody judges, else its head alone."""
    if not is_whole:
        return _head(body[:HEAD_MAX], policy, beyond, is_whole=False)
    if strict.cost(body) <= strict.COST_MAX:
        try:
            return review.decode(strict.loads(body))
        except StrictJSONError:
            pass  # it may be what stands in managedFields alone
    return _skimmed(body, policy)


def _skimmed(body: bytes, policy: Policy) -> Request:
    """Read as much of a review as can be read, and say what it is beyond.

    What is refused in the object is no bad call: Go writes two keys that are no UTF-8 as one.
    """
    try:
        usual = skim.usual(body)
        if strict.cost(usual) > strict.COST_MAX:
            return _head(body, policy, _MANY)
        return review.decode(strict.loads(usual), beyond=_DEEP)
    except CutsError:
        return _head(body, policy, _DEEP)
    except SkimError as error:
        raise StrictJSONError(str(error)) from None
    except StrictJSONError as error:
        with contextlib.suppress(StrictJSONError, ReviewError):
            return _head(body, policy, f"{error}, so readers may differ")
        raise


def _head(body: bytes, policy: Policy, beyond: str, *, is_whole: bool = True) -> Request:
    templates = [kind.pod_spec[:-1] or kind.pod_spec for kind in policy.kinds]
    try:
        head = skim.head(body, templates, is_whole=is_whole)
    except SkimError as error:
        raise StrictJSONError(str(error)) from None
    if strict.cost(head) > strict.COST_MAX:
        raise StrictJSONError("there is too much beside the object")
    return review.decode(strict.loads(head), beyond=beyond)
