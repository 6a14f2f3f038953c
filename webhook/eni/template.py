"""Write an eni-config from what a cluster is made of, in the order of the vendor's template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webhook.eni.fields import CNI_CONF, ENI_CONF, POLICY_SWITCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs between clusters. `vswitches`: zone to IDs."""

    access_key: str
    access_secret: str
    vswitches: Mapping[str, Sequence[str]]
    security_groups: Sequence[str]
    service_cidr: str
    cluster_id: str | None = None
    ip_stack: str = "ipv4"
    max_pool_size: int = 5
    min_pool_size: int = 0
    network_policy: bool = False


def data(settings: Settings) -> dict[str, str]:
    """Return the ConfigMap's data."""
    first, *more = settings.security_groups
    eni_conf = {
        "version": "1",
        "max_pool_size": settings.max_pool_size,
        "min_pool_size": settings.min_pool_size,
        "vswitches": {zone: list(ids) for zone, ids in settings.vswitches.items()},
        **({"eni_tags": {"ack.aliyun.com": settings.cluster_id}} if settings.cluster_id else {}),
        "service_cidr": settings.service_cidr,
        "security_group": first,
        **({"security_groups": more} if more else {}),
        "access_key": settings.access_key,
        "access_secret": settings.access_secret,
        "vswitch_selection_policy": "ordered",
        **({"ip_stack": settings.ip_stack} if settings.ip_stack != "ipv4" else {}),
    }
    cni = {"cniVersion": "0.4.0", "name": "terway", "type": "terway"}
    return {
        ENI_CONF: json.dumps(eni_conf, indent=2, ensure_ascii=False),
        CNI_CONF: json.dumps(cni, indent=2),
        POLICY_SWITCH: "false" if settings.network_policy else "true",
    }
