"""Globs as a policy has them: of characters that may stand in what they are to match.

`*` is any text, `?` any character, `[ab]`, `[a-z]` and `[!ab]` one of some. What has none of them
is a name, and must be one.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictStr

from webhook.placement import labels
from webhook.policy.refusals import refuse

_MAX = 253
_IMAGE_MAX = 512  # name 255, tag 128, digest of sha512 135

_SPECIAL = re.compile(r"[*?\[\]!]")
_NAMESPACE = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_TEXT = r"[^\x00-\x1f\x7f]+"


def _glob(characters: str) -> str:
    """Return the pattern of globs of these characters; each character is read in one way."""
    return rf"(?:[{characters}*?]|\[!?[{characters}]+\])+"


def _check(what: str, whole: str, pattern: str, longest: int, fix: str) -> AfterValidator:
    """Return the check of a glob; `whole` is what a text without special characters must be."""
    glob, literal = re.compile(pattern), re.compile(whole)

    def check(text: str) -> str:
        fits = glob if _SPECIAL.search(text) else literal
        if len(text) > longest or not fits.fullmatch(text):
            raise refuse(f"{text!r} cannot match {what}", fix)
        return text

    return AfterValidator(check)


def _schema(whole: str, pattern: str, longest: int) -> Any:
    either: list[Any] = [
        {"pattern": f"^{whole}$"},
        {"allOf": [{"pattern": _SPECIAL.pattern}, {"pattern": f"^{pattern}$"}]},
    ]
    return Field(json_schema_extra={"maxLength": longest, "anyOf": either})


def _text(text: str) -> str:
    if not re.fullmatch(_TEXT, text):
        raise refuse("must be one line, without control characters")
    return text


_NAMESPACES = (_NAMESPACE, _glob("-a-z0-9"), _MAX)
_NAMES = (labels.SUBDOMAIN_PATTERN.strip("^$"), _glob("-.a-z0-9"), _MAX)
_IMAGES = (r"[-A-Za-z0-9._:/@+]+", r"[-A-Za-z0-9._:/@+*?\[\]!]+", _IMAGE_MAX)

NamespaceGlob = Annotated[
    StrictStr,
    _check(
        "a namespace",
        *_NAMESPACES,
        fix="at most 63 lower-case letters, digits and -, or a glob of them",
    ),
    _schema(*_NAMESPACES),
]
NameGlob = Annotated[
    StrictStr,
    _check(
        "the name of a workload",
        *_NAMES,
        fix="lower-case letters, digits, - and ., or a glob of them",
    ),
    _schema(*_NAMES),
]
ImageGlob = Annotated[
    StrictStr,
    _check("an image", *_IMAGES, fix="letters, digits and . _ - : / @ +, or a glob of them"),
    _schema(*_IMAGES),
]
OneLine = Annotated[
    StrictStr,
    Field(min_length=1, json_schema_extra={"pattern": f"^{_TEXT}$"}),
    AfterValidator(_text),
]
RuleName = Annotated[
    StrictStr,
    Field(min_length=1, max_length=labels.NAME_MAX, json_schema_extra={"pattern": f"^{_TEXT}$"}),
    AfterValidator(_text),
]
