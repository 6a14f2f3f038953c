"""A tag will not be as written.

Terway sets `creator` to terway itself (daemon/config.go:79, v1.17.5), and the cloud refuses tag
keys that begin with `acs:` or `aliyun` (ECS, tag limits).

Wrong: eni_conf: {"eni_tags": {"creator": "me"}}
Right: eni_conf: {"eni_tags": {"team": "network"}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "eni-tags"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each such tag."""
    for name in (document.values or {}).get("eni_tags") or {}:
        path = (document.conf.key, "eni_tags", name)
        if name == "creator":
            yield Fault(path=path, message="is overwritten with terway", fix="delete it")
        elif name.startswith(("acs:", "aliyun")):
            yield Fault(
                path=path,
                message="tag keys must not begin with acs: or aliyun",
                fix="choose another key",
            )
