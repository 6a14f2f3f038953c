"""disable_network_policy is not exactly true or false.

Terway compares bytes: only `false`, `0` and nothing leave NetworkPolicy on; anything else, also
`False` and `false` with a line break, turns it off (cmd/terway-cli/common.go:51-64, v1.17.5).

Wrong: disable_network_policy: False
Right: disable_network_policy: false
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import quoting
from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import POLICY_SWITCH
from webhook.findings import Level

NAME = "policy-switch"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a warning for `0` and nothing, an error for any other text."""
    value = document.data.get(POLICY_SWITCH)
    if document.partial or not isinstance(value, str) or value in ("true", "false"):
        return
    if value in ("0", ""):
        meaning, level = "means false: NetworkPolicy is on", Level.WARNING
    else:
        meaning, level = "is not false: Terway turns NetworkPolicy OFF", LEVEL
    yield Fault(
        path=("data", POLICY_SWITCH),
        message=f"{quoting.shown(value, document.secrets)} {meaning}".replace("\n", "\\n"),
        fix='write "true" or "false", lower case, without a line break',
        level=level,
    )
