"""Where a report goes, what a renderer may not find out by itself, and how names are shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

Paint = Callable[[str, str], str]

# Categories of characters that act instead of showing: controls, formats (bidirectional overrides
# among them), surrogates, line and paragraph separators.
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`write` takes text, piece by piece; `paint(text, colour)` colours it, or does not.

    `width`: columns of the terminal, None where nobody reads in one. `now`: the time of the run.
    `folder`: what file names are relative to. `report_api`: one of `policyreport.APIS`.
    """

    write: Callable[[str], object]
    paint: Paint
    width: int | None
    now: datetime
    folder: PurePath
    version: str
    report_api: str


def visible(text: str) -> str:
    r"""Return text without characters that act on a terminal or a page: they are told as \x1b.

    A name comes from a manifest that anybody may have written (https://trojansource.codes).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _ACTING else char
        for char in text
    )
