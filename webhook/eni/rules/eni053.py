"""service_cidr has bits that do not count.

10.96.0.1/12 means 10.96.0.0/12: net.ParseCIDR masks the host's bits (types/types.go:183, v1.17.5).
An IPv6 range without `ip_stack: dual` is never used.

Wrong: eni_conf: {"service_cidr": "10.96.0.1/12"}
Right: eni_conf: {"service_cidr": "10.96.0.0/12"}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import golang, ranges
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "service-cidr-hostbits"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for host bits, and for IPv6 in an IPv4 cluster."""
    values = document.values
    if values is None:
        return
    path = (document.conf.key, "service_cidr")
    for part in ranges.parts(document):
        read = golang.parse_cidr(part)
        if read is not None and read.host_bits:
            yield Fault(
                path=path,
                message=f"{part} means {read.network}",
                fix=f"write {read.network}",
            )
        is_v4_only = not document.partial and values["ip_stack"] in ("", "ipv4")
        if read is not None and read.family != 4 and is_v4_only:  # noqa: PLR2004
            yield Fault(
                path=path,
                message="names an IPv6 range although ip_stack is ipv4",
                fix='write "ip_stack": "dual", or drop the range',
            )
