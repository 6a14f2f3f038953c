"""A node label names an override that is not there.

For a node with `terway-config=NAME` whose ConfigMap is missing or has no eni_conf, terwayd uses
eni-config without a word, while the control plane reports an error (daemon/builder.go:144-148;
dynamicconfig.go:90, v1.17.5). Only an audit that sees nodes and ConfigMaps can tell.

Wrong: nodes: eni-config-pool-b
Right: nodes:
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "dynamic-reference"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each name that leads nowhere; nothing where nobody looked."""
    if document.partial:
        return
    for name, nodes in sorted((document.around.named or {}).items()):
        if name not in document.around.overrides:
            yield Fault(
                path=("metadata", "name"),
                message=f"{nodes} nodes are labelled terway-config={name}, and no ConfigMap of "
                "that name has an eni_conf; terwayd uses eni-config there",
                fix=f"create ConfigMap {name} with eni_conf, or remove the label",
            )
