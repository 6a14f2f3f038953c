"""host_stack_cidrs holds something that is no CIDR.

The plugin parses each entry when a pod starts, and each pod on the node fails
(plugin/terway/cni.go:341-347); the policy container stops (cmd/terway-cli/policy.go:318, v1.17.5).

Wrong: 10-terway.conf: {"type": "terway", "host_stack_cidrs": ["169.254.20.10"]}
Right: 10-terway.conf: {"type": "terway", "host_stack_cidrs": ["169.254.20.10/32"]}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, quoting, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "host-stack-cidrs"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each entry that Go refuses."""
    for path, _, plugin in document.terway:
        node = plugin.get("host_stack_cidrs")
        for index, item in enumerate(node.value if node and node.kind == "array" else ()):
            if item.kind != "string" or templates.in_value(item.value):
                continue
            if golang.parse_cidr(item.value) is None:
                yield Fault(
                    path=(*path, "host_stack_cidrs", index),
                    message=f"{quoting.shown(item.value, document.secrets)} is no CIDR; "
                    "every pod on the node fails",
                    fix="write ADDRESS/PREFIX, such as 169.254.20.10/32",
                )
