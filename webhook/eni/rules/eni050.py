"""A part of service_cidr is no CIDR.

Terway splits at commas, trims nothing, and drops without a word what net.ParseCIDR refuses
(types/types.go:183; pkg/k8s/k8s.go:172, v1.17.5): a blank after the comma loses the second family.

Wrong: eni_conf: {"service_cidr": "172.21.0.0/20, fd00::/112"}
Right: eni_conf: {"service_cidr": "172.21.0.0/20,fd00::/112"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, quoting, ranges, templates
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "service-cidr"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each part that Go refuses."""
    for part in () if templates.in_value(ranges.text(document)) else ranges.parts(document):
        if golang.parse_cidr(part) is None:
            yield Fault(
                path=(document.conf.key, "service_cidr"),
                message=f"{_described(part, document.secrets)}; Terway drops it silently",
                fix="write IPv4/PREFIX, or IPv4/PREFIX,IPv6/PREFIX with a bare comma",
            )


def _described(part: str, secrets: frozenset[str]) -> str:
    if not part:
        return "an empty part is no CIDR (a comma too many)"
    shown = quoting.shown(part, secrets)
    if part != part.strip():
        return f"the part {shown} is no CIDR (a blank beside the comma)"
    return f"the part {shown} is no CIDR"
