"""The fields of a policy's `templates`: the chart makes hooks of them, so they name CRDs alone.

A hook on what Kubernetes itself writes all the time would be asked at each renewal of each Lease,
and a server that hangs would hold every one of them up.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictStr

from webhook.placement import labels
from webhook.policy.refusals import refuse
from webhook.workloads import BUILTIN

# Groups below k8s.io that are no part of Kubernetes, and hold pod templates.
_COMMUNITY = ("flinkoperator.k8s.io", "sparkoperator.k8s.io")
# Written all the time, also where a foreign group calls its own so.
_HOT = ("events", "leases", "nodes", "pods")

_LABEL = r"[a-z](?:[-a-z0-9]*[a-z0-9])?"  # DNS-1035, as a CRD's names and versions
_KIND = r"[A-Za-z](?:[-A-Za-z0-9]*[A-Za-z0-9])?"  # the same, in any case


def _api_group(text: str) -> str:
    if not labels.is_subdomain(text) and text:
        raise refuse(f"{text!r} cannot be an API group", "its name in full, such as apps.kruise.io")
    own = "." not in text or text == "k8s.io" or text.endswith(".k8s.io")
    if own and text not in _COMMUNITY:
        raise refuse(
            f"{text!r} is a group of Kubernetes itself: its workloads are built in, and a hook on "
            "the rest would hold up the cluster",
            "remove the template; others name a CRD's group, such as apps.kruise.io",
        )
    return text


def _api_version(text: str) -> str:
    if not _is_label(text):
        raise refuse(f"{text!r} cannot be an API version", "each by its name, such as v1alpha1")
    return text


def _resource(text: str) -> str:
    if not _is_label(text):
        raise refuse(
            f"{text!r} cannot be a resource",
            "one plural name, as the CRD's spec.names.plural has it: clonesets",
        )
    if text in _HOT:
        raise refuse(
            f"{text} are written all the time, and no hook may hold them up", "remove the template"
        )
    return text


def _kind(text: str) -> str:
    if len(text) > labels.NAME_MAX or not re.fullmatch(_KIND, text):
        raise refuse(f"{text!r} cannot be a kind", "as the CRD's spec.names.kind has it: CloneSet")
    return text


def _is_label(text: str) -> bool:
    return len(text) <= labels.NAME_MAX and re.fullmatch(_LABEL, text) is not None


def _schema(pattern: str, **more: Any) -> Any:
    told = {"pattern": f"^{pattern}$", "maxLength": labels.NAME_MAX, **more}
    return Field(json_schema_extra=told)


ApiGroup = Annotated[
    StrictStr,
    AfterValidator(_api_group),
    Field(
        json_schema_extra={
            "maxLength": labels.SUBDOMAIN_MAX,
            "anyOf": [
                {"enum": list(_COMMUNITY)},
                {
                    "allOf": [
                        {"pattern": labels.SUBDOMAIN_PATTERN},
                        {"pattern": r"\."},
                        {"not": {"pattern": r"(^|\.)k8s\.io$"}},
                    ]
                },
            ],
        }
    ),
]
ApiVersion = Annotated[StrictStr, AfterValidator(_api_version), _schema(_LABEL)]
Resource = Annotated[
    StrictStr, AfterValidator(_resource), _schema(_LABEL, **{"not": {"enum": list(_HOT)}})
]
Kind = Annotated[
    StrictStr,
    AfterValidator(_kind),
    _schema(_KIND, **{"not": {"enum": sorted(kind.kind for kind in BUILTIN)}}),
]
