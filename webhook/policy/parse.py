"""From a decoded policy document to a `Policy`, or to every problem in it at once.

Positions are pointers here; whoever read the file turns them into lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from webhook.placement.model import CloudNodes
from webhook.policy import document as written
from webhook.policy.document import PolicyDocument
from webhook.policy.model import EniPolicy, Match, Overrides, Policy, Rule
from webhook.policy.names import Names, union
from webhook.policy.words import Network
from webhook.workloads import BUILTIN, WorkloadKind, dotted, type_name

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a policy: where, what, and what to write instead."""

    pointer: Path
    message: str
    fix: str | None = None

    def __str__(self) -> str:
        """The path and the message."""
        return f"{dotted(self.pointer)}: {self.message}" if self.pointer else self.message


class PolicyError(ValueError):
    """A policy that cannot be used; `problems` lists all there is, in the document's order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def parse(document: object) -> Policy:
    """Return the policy a decoded document describes, or raise PolicyError with every problem."""
    if not isinstance(document, Mapping):
        found = "empty" if document is None else f"{type_name(document)}, not a mapping of keys"
        raise PolicyError((Problem(pointer=(), message=f"the policy is {found}", fix=_START),))
    problems = [*_meaning_problems(document)]
    try:
        accepted = PolicyDocument.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=True)
        telling = [detail for detail in details if not _follows(detail, details)]
        problems = [*map(_problem, telling), *problems]
    if problems:
        raise PolicyError(tuple(problems))
    return _compile(accepted)


def for_network(network: Network) -> Policy:
    """Return the policy of `--network` alone: the catalogue, and nothing else."""
    return _compile(
        PolicyDocument.model_validate(
            {"apiVersion": written.API_VERSION, "kind": "Policy", "network": network}
        )
    )


def schema() -> dict[str, Any]:
    """Return the JSON schema of the policy file (draft 2020-12), for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PolicyDocument.model_json_schema(by_alias=True),
    }


_START = f"start with `apiVersion: {written.API_VERSION}`, `kind: Policy` and `network:`"
_NETWORK = (
    "network is required: overlay, bgp or host; it says how the on-prem CNI moves packets, and a "
    "wrong guess cuts nodes off"
)
_WANTED = {
    "string_type": "a string",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "bool_type": "true or false",
    "int_type": "a whole number",
}


def _problem(error: ErrorDetails) -> Problem:
    """Say in our own words what pydantic found."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "policy":
        return Problem(pointer=path, message=context["message"], fix=context["fix"])
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind in ("enum", "literal_error"):
        return _unknown_value(path, error)
    if kind in _WANTED:
        return _wrong_type(path, _WANTED[kind], error["input"])
    if kind in ("too_short", "string_too_short"):
        return Problem(pointer=path, message="must not be empty")
    if kind == "string_too_long":
        return Problem(pointer=path, message=f"is longer than {context['max_length']} characters")
    return Problem(pointer=path, message="is not what is expected here")


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Tell whether a list is only called too short because its items were refused."""
    path = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(path)] == path for other in details if other is not detail
    )


def _missing(path: Path) -> Problem:
    key = path[-1]
    if path == ("network",):
        return Problem(pointer=(), message=_NETWORK, fix="network: bgp  # or overlay, or host")
    return Problem(pointer=path[:-1], message=f"{key} is missing", fix=f"add `{key}:`")


def _unknown_key(path: Path) -> Problem:
    key = str(path[-1])
    near = get_close_matches(key, _keys_at(path[:-1]), n=1, cutoff=0.6)
    fix = f"did you mean {near[0]}?" if near else f"known here: {', '.join(_keys_at(path[:-1]))}"
    return Problem(pointer=path, message=f"{key} is not a key of a policy here", fix=fix)


def _unknown_value(path: Path, error: ErrorDetails) -> Problem:
    allowed = [
        word.strip(" '") for word in error["ctx"]["expected"].replace(" or ", ",").split(",")
    ]
    found = error["input"]
    if not isinstance(found, str):
        return _wrong_type(path, f"one of {', '.join(allowed)}", found)
    near = get_close_matches(found.lower(), allowed, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(allowed)}"
    return Problem(pointer=path, message=f"{found!r} is not known", fix=hint)


def _wrong_type(path: Path, wanted: str, found: object) -> Problem:
    quote = wanted == "a string" and isinstance(found, (bool, int, float))
    text = str(found).lower() if isinstance(found, bool) else str(found)
    fix = f'put it in quotes: "{text}"' if quote else f"write {wanted}"
    return Problem(pointer=path, message=f"must be {wanted}, found {type_name(found)}", fix=fix)


def _keys_at(path: Path) -> list[str]:
    """Return the keys the model knows at a path."""
    model: type[BaseModel] = PolicyDocument
    for step in path:
        if isinstance(step, int):
            continue
        field = next((f for name, f in model.model_fields.items() if step in (f.alias, name)), None)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside an annotation such as tuple[Model, ...] or Model | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)


def _meaning_problems(document: Mapping[Any, Any]) -> Iterator[Problem]:
    """Yield what is wrong between parts, as far as their shapes can be read at all."""
    builtin = {kind.kind for kind in BUILTIN}
    known = set(builtin)
    for index, template in enumerate(_mappings(document.get("templates"))):
        kind = template.get("kind")
        if not isinstance(kind, str):
            continue
        if kind in builtin:
            path: Path = ("templates", index, "kind")
            yield Problem(pointer=path, message=f"{kind} is built in already", fix="remove it")
        known.add(kind)
    names: set[str] = set()
    for index, rule in enumerate(_mappings(document.get("rules"))):
        name = rule.get("name")
        if isinstance(name, str) and name in names:
            path = ("rules", index, "name")
            yield Problem(pointer=path, message=f"a rule named {name!r} stands above already")
        names.add(str(name))
        match = rule.get("match")
        kinds = match.get("kinds") if isinstance(match, Mapping) else None
        for at, kind in enumerate(kinds if isinstance(kinds, list) else ()):
            if isinstance(kind, str) and kind not in known:
                yield _unknown_kind(("rules", index, "match", "kinds", at), kind, sorted(known))


def _unknown_kind(path: Path, kind: str, known: list[str]) -> Problem:
    near = get_close_matches(kind, known, n=1, cutoff=0.6)
    fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}, or add templates"
    return Problem(pointer=path, message=f"{kind!r} is not a kind with a pod template", fix=fix)


def _mappings(value: object) -> list[Mapping[Any, Any]]:
    """Return the items of a list, an empty mapping for each that is none."""
    return [i if isinstance(i, Mapping) else {} for i in (value if isinstance(value, list) else ())]


def _compile(document: PolicyDocument) -> Policy:
    """Turn an accepted document into a policy that can be asked."""
    eni = document.eni_config
    return Policy(
        cloud_nodes=CloudNodes(key=document.cloud_nodes.key, values=document.cloud_nodes.values),
        network=document.network,
        catalogue=document.catalogue,
        action=document.defaults.action,
        conflicts=document.defaults.conflicts,
        on_update=document.defaults.on_update,
        rules=tuple(_rule(rule, document.defaults) for rule in document.rules),
        kinds=(*BUILTIN, *map(_kind, document.templates)),
        overrides=Overrides(
            label=document.overrides.label, namespaces=union(document.overrides.namespaces)
        ),
        eni=EniPolicy(
            namespace=eni.namespace,
            name=eni.name,
            credentials=eni.credentials,
            installers=union(eni.installers),
        ),
    )


def _rule(rule: written.RulePart, defaults: written.DefaultsPart) -> Rule:
    match = rule.match
    return Rule(
        name=rule.name,
        match=Match(
            kinds=frozenset(match.kinds) if match.kinds else None,
            namespaces=union(match.namespaces) if match.namespaces else None,
            names=Names(match.names) if match.names else None,
            labels=match.labels,
            images=union(match.images) if match.images else None,
        ),
        placement=rule.placement,
        enforcement=rule.enforcement,
        weight=100 if rule.weight is None else rule.weight,
        action=rule.action or defaults.action,
    )


def _kind(template: written.TemplatePart) -> WorkloadKind:
    steps = template.path.removeprefix("/").split("/")
    return WorkloadKind(
        group=template.api_group,
        versions=template.api_versions,
        resource=template.resource,
        kind=template.kind,
        template=tuple(step.replace("~1", "/").replace("~0", "~") for step in steps),
    )
