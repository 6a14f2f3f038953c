"""A vSwitch is listed twice.

A vSwitch lives in one zone; listed for a second zone it cannot be used there, listed twice in one
it is tried twice (pkg/vswitch; daemon/config.go:55-60, v1.17.5).

Wrong: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-1"], "cn-hangzhou-i": ["vsw-1"]}}
Right: eni_conf: {"vswitches": {"cn-hangzhou-g": ["vsw-1"], "cn-hangzhou-i": ["vsw-2"]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from webhook.eni import resources
from webhook.eni.document import EniDocument, Fault
from webhook.findings import Level

NAME = "vswitch-duplicate"
LEVEL = Level.WARNING


def check(document: EniDocument) -> Iterator[Fault]:
    """Yield a fault for each repetition."""
    seen: set[str] = set()
    for path, value in resources.vswitches(document):
        if value in seen and resources.is_vswitch(value):
            yield Fault(
                path=path,
                message=f"{value} is listed already; a vSwitch lives in one zone",
                fix="delete one",
            )
        seen.add(value)
