r"""All answers there are: allowed, denied, patched. An illegal combination cannot be built.

The API server fails a call whose answer has a patch without a type, a type without a patch, or
any patch from a validating hook (apiserver, webhook/request/admissionreview.go).

A controller that reads in a refusal that a field never changes deletes the object and makes it
anew: Flux does where the text matches `is\simmutable` or `immutable\sfield`, and for the reasons
Invalid and Conflict (fluxcd/pkg, ssa/errors/immutable.go). No text of ours
does, whatever it quotes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from webhook.admission.review import API_VERSION, KIND

WARNING_MAX = 120  # what kubectl shows without cutting
WARNINGS_MAX = 4096  # runes in all; past that the API server cuts each to 256
MESSAGE_MAX = 1500
FORBIDDEN = 403
_RECREATES = re.compile(r"(?<=is\s)(\s*)(immutable)|(immutable)(?=\s+field)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer; build it with `allowed`, `denied` or `patched`."""

    allowed: bool
    message: str = ""
    patch: bytes = b""
    warnings: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)

    def to_wire(self, uid: str) -> dict[str, Any]:
        """Return the AdmissionReview that answers the request of this uid."""
        body: dict[str, Any] = {"uid": uid, "allowed": self.allowed}
        if not self.allowed:
            body["status"] = {"code": FORBIDDEN, "reason": "Forbidden", "message": self.message}
        if self.patch:
            body["patchType"] = "JSONPatch"
            body["patch"] = base64.b64encode(self.patch).decode()
        if self.warnings:
            body["warnings"] = list(self.warnings)
        if self.annotations:
            body["auditAnnotations"] = self.annotations
        return {"apiVersion": API_VERSION, "kind": KIND, "response": body}


def allowed(warnings: Iterable[str] = (), **annotations: str) -> Response:
    """Return an approval without a patch."""
    return Response(allowed=True, warnings=_cleaned(warnings), annotations=annotations)


def denied(message: str, warnings: Iterable[str] = (), **annotations: str) -> Response:
    """Return a denial for the person who applied the object: code 403, never a retry."""
    return Response(
        allowed=False,
        message=_shown(message, keep="\n")[:MESSAGE_MAX] or "denied",
        warnings=_cleaned(warnings),
        annotations=annotations,
    )


def patched(patch: bytes, warnings: Iterable[str] = (), **annotations: str) -> Response:
    """Return an approval with a proven JSON Patch, which must not be empty."""
    if patch in (b"", b"[]"):
        raise ValueError("a patch without operations is an approval: use allowed()")
    return Response(allowed=True, patch=patch, warnings=_cleaned(warnings), annotations=annotations)


def _cleaned(warnings: Iterable[str]) -> tuple[str, ...]:
    """Return warnings as single lines that no client cuts, each once, as many as are shown."""
    lines: list[str] = []
    left = WARNINGS_MAX
    for warning in warnings:
        line = _shown(warning)
        if len(line) > WARNING_MAX:
            line = line[: WARNING_MAX - 1] + "…"
        if line in lines:
            continue
        left -= len(line)
        if left < 0:
            break
        lines.append(line)
    return tuple(lines)


def _shown(text: str, keep: str = "") -> str:
    """Return the text with a blank for each control character: warnings travel in a header.

    The word that makes controllers recreate an object is put in quotes, which a shell takes off.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else " " for c in text)
    if "mmutab" not in text.lower():  # a tenth of the time
        return text
    return _RECREATES.sub(r'\1"\2\3"', text)
