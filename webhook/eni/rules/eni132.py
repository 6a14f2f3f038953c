"""An override takes credentials away.

null deletes a credential of eni-config, a blank one replaces it, and half a pair counts as none
(types/daemon/config.go:206; ack-ram-tool accesskey_provider.go:22, v1.17.5): the nodes of that pool
lose the cloud. Half a pair that eni-config completes is seen where both are looked at.

Wrong: override.eni_conf: {"access_secret": null}
Right: override.eni_conf: {"max_pool_size": 10}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.eni.fields import CREDENTIALS
from webhook.eni.jsontext import Node
from webhook.eni.merge import MergeError, merge
from webhook.findings import Level

NAME = "dynamic-credentials"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for what is blank, and for one half without the other."""
    members = document.conf.fields
    if not document.partial or not members or document.mode == "off":
        return
    given = [name for name in CREDENTIALS if name in members]
    blank = [name for name in given if _is_blank(members[name])]
    for name in blank:
        yield Fault(
            path=(document.conf.key, name),
            message="takes the credential of eni-config away",
            fix="delete the key, or write the value",
        )
    if len(given) == 1 and not blank and not _completed(document, given[0]):
        other = next(name for name in CREDENTIALS if name not in given)
        yield Fault(
            path=(document.conf.key, other),
            message=f"is missing beside {given[0]}; halves of two pairs do not work together",
            fix=f"write {other} too",
        )


def _is_blank(node: Node) -> bool:
    """Tell whether a merge would delete or blank the credential: of equal keys the last counts."""
    return node.kind == "null" or (node.kind == "string" and not node.value.strip())


def _completed(document: EniDocument, given: str) -> bool:
    """Tell whether the override only repeats what eni-config has."""
    base = document.around.base
    if base is None or base.conf.root is None or document.conf.root is None:
        return False
    try:
        merged = merge(base.conf.root, document.conf.root).members()
    except MergeError:
        return False
    was = (base.conf.fields or {}).get(given)
    return was is not None and was.value == merged[given].value
