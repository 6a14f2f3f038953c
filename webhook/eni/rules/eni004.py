"""A template was never rendered.

A value such as `{{ .Values.accessKey }}` or `$ACCESS_KEY` reaches Terway as it is written. Where
it is valid JSON nothing complains until the first call to the cloud fails
(types/daemon/config.go:201, v1.17.5); where it is not, the syntax error is only its consequence.

Wrong: eni_conf: {"service_cidr": "{{ .ServiceCIDR }}"}
Right: eni_conf: {"service_cidr": "172.21.0.0/20"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import templates
from webhook.eni.document import Embedded, EniDocument, Fault, strings
from webhook.eni.jsontext import Node
from webhook.findings import Level

NAME = "unrendered-template"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each field that still holds a template."""
    for embedded in document.embedded():
        if embedded.error is not None:
            yield from _in_text(embedded)
        for path, node in strings(embedded):
            if templates.in_value(node.value):
                yield _fault(path, node)


def _in_text(embedded: Embedded) -> Iterator[Fault]:
    told: set[str | None] = set()
    for key, offset in templates.in_text(embedded.text):
        if key not in told:
            told.add(key)
            path = (embedded.key, key) if key else (embedded.key,)
            yield _fault(path, Node("null", None, offset, offset))


def _fault(path: tuple[str | int, ...], node: Node) -> Fault:
    return Fault(
        path=path,
        message="still holds a template that nothing has rendered",
        fix="replace it with the real value",
        node=node,
    )
