"""One workload: what a change of it restarts, who else writes it, and their proper knobs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from string import Template
from typing import Any

from webhook.admission import rollout
from webhook.explain.fields import Writer, managers, writers
from webhook.explain.owners import (
    CHART_VALUE,
    CHART_VALUES,
    INSTALLATION_FIELDS,
    RECONCILERS,
    Reconciler,
)
from webhook.patch import pointer
from webhook.placement.selector import TERMS
from webhook.policy.evaluate import Verdict
from webhook.workloads import ShapeError, Workload, dotted, mapping_at, mapping_of

_RELEASE = "meta.helm.sh/release-name"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
# What a tool applied that some reconciler brought tells nothing more.
_TOOLS = frozenset({"Helm", "kubectl apply"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who writes the workload again, how that is known, what it does, and what to write instead."""

    name: str
    because: str
    does: str
    knob: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What there is to know before something is changed. `rollout` is None where nothing is."""

    rollout: str | None
    writers: tuple[Writer, ...]
    owners: tuple[Owner, ...]


def explain(verdict: Verdict) -> Explanation:
    """Explain a workload that was judged; owners only where policy asks for a side."""
    workload = verdict.workload
    asked = verdict.decision.placement.side is not None
    return Explanation(
        rollout=rollout.sentence(workload, workload) if verdict.ops else None,
        writers=tuple(writers(workload.object, workload.kind)),
        owners=tuple(_owners(verdict)) if asked else (),
    )


def _owners(verdict: Verdict) -> Iterator[Owner]:
    workload = verdict.workload
    told = False
    for row in RECONCILERS:
        because = next(_signs(row, workload), None)
        if because and not (told and row.name in _TOOLS):
            told = True
            yield Owner(
                name=row.name,
                because=because,
                does=row.does,
                knob=tuple(_filled(row, verdict)),
            )
    if not told:
        yield from _stranger(workload)


def _signs(row: Reconciler, workload: Workload) -> Iterator[str]:
    """Yield what shows that a reconciler writes a workload."""
    metadata = mapping_of(workload.object.get("metadata"))
    for owner in _references(metadata):
        group = str(owner.get("apiVersion")).rpartition("/")[0]
        if group in row.owners:
            yield f"ownerReferences: {owner.get('kind')}/{owner.get('name')}"
    for part, wanted in (("labels", row.labels), ("annotations", row.annotations)):
        found = mapping_of(metadata.get(part))
        for entry in wanted:
            key, has_value, value = entry.partition("=")
            if key in found and (not has_value or found[key] == value):
                yield f"{part.removesuffix('s')} {entry}"
    for manager in sorted(managers(workload.object)):
        if any(fnmatchcase(manager, glob) for glob in row.managers):
            yield f"field manager {manager}"


def _references(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    owners = metadata.get("ownerReferences")
    return [mapping_of(owner) for owner in owners] if isinstance(owners, list) else []


def _stranger(workload: Workload) -> Iterator[Owner]:
    """Yield a controller that no row knows."""
    for owner in _references(mapping_of(workload.object.get("metadata"))):
        if owner.get("controller") is True:
            yield Owner(
                name=f"{owner.get('kind')}/{owner.get('name')}",
                because=f"ownerReferences: {owner.get('apiVersion')}",
                does="it may write the spec again, and admission puts the term back",
                knob=("look for a field of its own for affinity or node placement",),
            )


def _filled(row: Reconciler, verdict: Verdict) -> Iterator[str]:
    """Yield a knob's lines for this very object; none where its own field is not known."""
    values = _values(verdict)
    for line in row.knob:
        if "$shell_installation" in line and not values["shell_installation"]:
            yield "no field of Installation for it is known here"
        else:
            yield Template(line).safe_substitute(values)


def _values(verdict: Verdict) -> dict[str, str]:
    workload = verdict.workload
    ref, path = workload.ref, workload.kind.pod_spec
    annotations = mapping_of(mapping_of(workload.object.get("metadata")).get("annotations"))
    affinity = _affinity(verdict)
    value = CHART_VALUES.get(ref.name, CHART_VALUE)
    field = INSTALLATION_FIELDS.get(ref.name)
    release = str(annotations.get(_RELEASE) or ref.name)
    namespace = ref.namespace or "default"
    values = _json(_nested(tuple(value.split(".")), affinity))
    installation = ("spec", str(field), "spec", "template", "spec", "affinity")
    return {
        "group": _yaml(workload.kind.group),
        "kind": _yaml(ref.kind),
        "namespace": _yaml(namespace),
        "name": _yaml(ref.name),
        "release": _yaml(release),
        "jq": "." + dotted((*path, *TERMS)),
        "pointer": pointer((*path, "affinity")),
        "values": values,
        "values_text": json.dumps(values),
        "shell_namespace": shlex.quote(namespace),
        "shell_release": shlex.quote(release),
        "shell_setting": shlex.quote(f"{value}={_json(affinity)}"),
        "shell_installation": shlex.quote(_json(_nested(installation, affinity))) if field else "",
    }


def _affinity(verdict: Verdict) -> dict[str, Any]:
    """Return the affinity as admission leaves it."""
    try:
        spec = mapping_at(verdict.patched, verdict.workload.kind.pod_spec)
    except ShapeError:
        return {}
    return mapping_of(spec.get("affinity"))


def _nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _yaml(text: str) -> str:
    """Return a name as YAML has it; only a plain one needs no quotes."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
