"""A data key is not one that Terway reads.

The containers read eni_conf, 10-terway.conf, 10-terway.conflist, disable_network_policy,
in_cluster_loadbalance and felix_relay_service, and nothing else (cmd/terway-cli/common.go:31-81;
charts/terway/templates/terwayd/daemonset.yaml:61-160, v1.17.5).

Wrong: disable-network-policy: true
Right: disable_network_policy: true
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import ALIASES, CREDENTIALS, DATA_KEYS
from webhook.eni.shapes import folded
from webhook.findings import Level

NAME = "unknown-data-key"
LEVEL = Level.WARNING
_SUGGESTED = 20  # so many are looked up: thousands of unknown keys are no typing mistakes
_LONGEST = 40


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each unknown key; in an override ENI131 speaks of them."""
    unknown = () if document.partial else (name for name in document.data if name not in DATA_KEYS)
    for count, name in enumerate(map(str, unknown)):
        meaning, fix = _meant(name, suggest=count < _SUGGESTED and len(name) <= _LONGEST)
        yield Fault(path=("data", name), message=meaning, fix=fix)


def _meant(name: str, *, suggest: bool) -> tuple[str, str]:
    lowered = folded(name)
    inner = lowered if lowered in CREDENTIALS else ALIASES.get(lowered.replace("-", "_"))
    if inner in CREDENTIALS:
        return f"is not read by Terway; {inner} belongs inside eni_conf", "move it into eni_conf"
    close = difflib.get_close_matches(lowered, DATA_KEYS, n=1, cutoff=0.75) if suggest else ()
    if close:
        return f"is not read by Terway; did you mean {close[0]}?", f"write {close[0]}"
    return "is not read by Terway", "delete it"
