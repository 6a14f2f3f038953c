"""A key is not one of Terway's.

Terway ignores what it does not know, without a word (types/daemon/config.go:33-89, v1.17.5), so a
misspelt setting keeps its default.

Wrong: eni_conf: {"acces_key": "LTAI5tExampleOfAnId00001"}
Right: eni_conf: {"access_key": "LTAI5tExampleOfAnId00001"}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import ALIASES, CNI_ONLY, CONFIG, REMOVED
from webhook.eni.shapes import folded, unknown
from webhook.findings import Level

NAME = "unknown-key"
LEVEL = Level.WARNING
_SUGGESTED = 20  # so many are looked up: thousands of unknown keys are no typing mistakes
_LONGEST = 40


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each unknown key that no other rule speaks of."""
    root = document.conf.root
    if root is None:
        return
    looked_up = 0
    for key in unknown(CONFIG, root):
        name = key.value
        if folded(name) in CONFIG.folded or name in REMOVED or name in CNI_ONLY:
            continue
        looked_up += 1
        meant = _meant(name) if looked_up <= _SUGGESTED else None
        yield Fault(
            path=(document.conf.key, name),
            message="is not a setting of Terway and is ignored"
            + (f"; did you mean {meant}?" if meant else ""),
            fix=f"write {meant}" if meant else "delete it",
            node=key,
        )


def _meant(name: str) -> str | None:
    lowered = folded(name)
    if lowered.replace("-", "_") in ALIASES:
        return ALIASES[lowered.replace("-", "_")]
    if len(name) > _LONGEST:
        return None
    return next(iter(difflib.get_close_matches(lowered, CONFIG.fields, n=1, cutoff=0.8)), None)
