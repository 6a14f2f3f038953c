"""service_cidr names the wrong families.

One IPv4 range, optionally one IPv6: of two of one family the second overwrites the first
(types/types.go:183), and without an IPv4 range Terway looks in kubeadm-config and stops where there
is none (pkg/k8s/k8s.go:171-180, v1.17.5).

Wrong: eni_conf: {"service_cidr": "172.21.0.0/20,10.96.0.0/12"}
Right: eni_conf: {"service_cidr": "172.21.0.0/20,fd00::/112"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, ranges
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "service-cidr-family"
LEVEL = Level.ERROR


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for two ranges of a family, or for none of IPv4."""
    parts = ranges.parts(document)
    read = [golang.parse_cidr(part) for part in parts]
    families = [cidr.family for cidr in read if cidr is not None]
    problem = None
    if ranges.are_too_many(document):
        problem = f"has over {ranges.MOST} parts; Terway keeps one range of each family"
    elif len(families) > len(set(families)):
        problem = "has two ranges of one family; Terway keeps the last"
    elif parts and len(families) == len(parts) and 4 not in families:  # noqa: PLR2004
        problem = "has no IPv4 range; Terway looks in kubeadm-config and stops if that is absent"
    if problem:
        yield Fault(
            path=(document.conf.key, "service_cidr"),
            message=problem,
            fix="write one IPv4 range, and one of IPv6 for dual stack",
        )
