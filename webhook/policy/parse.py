"""From a decoded policy document to a `Policy`, or to every problem in it at once.

Positions are pointers here; whoever read the file turns them into lines. Faults are found all, in
the length of the document, and put into words as many as are told: words cost more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
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
Fault = tuple[Path, Callable[[], "Problem"]]

PROBLEMS_MAX = 100
_TEXT_MAX = 400  # characters of a message or a fix; whatever is quoted in it
_NEAR_MAX = 64  # characters of a word, and words, that are compared for a hint


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
    """A policy that cannot be used.

    `problems` lists what is wrong in the document's order, at most PROBLEMS_MAX; `more` counts the
    rest.
    """

    def __init__(self, problems: tuple[Problem, ...], more: int = 0) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
        self.more = more


def parse(document: object) -> Policy:
    """Return the policy a decoded document describes, or raise PolicyError with its problems."""
    if not isinstance(document, Mapping):
        found = "empty" if document is None else f"{type_name(document)}, not a mapping of keys"
        raise PolicyError((Problem(pointer=(), message=f"the policy is {found}", fix=_START),))
    faults = list(_meaning_faults(document))
    try:
        accepted = PolicyDocument.model_validate(document)
    except ValidationError as error:
        faults += _shape_faults(error)
    if faults:
        faults.sort(key=_order(document))
        told = tuple(_clipped(say()) for _, say in faults[:PROBLEMS_MAX])
        raise PolicyError(told, more=len(faults) - len(told))
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


_BUILTIN_KINDS = tuple(sorted(kind.kind for kind in BUILTIN))
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


def _order(document: Mapping[Any, Any]) -> Callable[[Fault], list[int]]:
    """Return what sorts faults as the document has their paths."""
    positions: dict[int, dict[Any, int]] = {}

    def order(fault: Fault) -> list[int]:
        node: Any = document
        places = []
        for step in fault[0]:
            if isinstance(node, Mapping):
                if id(node) not in positions:
                    positions[id(node)] = {key: at for at, key in enumerate(node)}
                places.append(positions[id(node)].get(step, -1))
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int):
                places.append(step)
                node = node[step]
        return places

    return order


def _clipped(problem: Problem) -> Problem:
    """Return a problem that quotes no more of the document than can be read."""
    path = tuple(_shortened(step) if isinstance(step, str) else step for step in problem.pointer)
    if path == problem.pointer and len(problem.message) + len(problem.fix or "") <= _TEXT_MAX:
        return problem
    fix = problem.fix and _shortened(problem.fix)
    return Problem(pointer=path, message=_shortened(problem.message), fix=fix)


def _shortened(text: str) -> str:
    half = _TEXT_MAX // 2
    return text if len(text) <= _TEXT_MAX else f"{text[:half]} … {text[-half:]}"


def _shape_faults(error: ValidationError) -> Iterator[Fault]:
    details = error.errors(include_url=False, include_context=True, include_input=True)
    within = Counter(
        path[:end] for path in (detail["loc"] for detail in details) for end in range(len(path) + 1)
    )
    for detail in details:
        # A list is called too short, too, where its items were refused.
        if detail["type"] != "too_short" or within[detail["loc"]] == 1:
            path = tuple(step for step in detail["loc"] if step != "[key]")
            yield path, partial(_problem, path, detail)


def _problem(path: Path, error: ErrorDetails) -> Problem:
    """Say in our own words what pydantic found."""
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


def _missing(path: Path) -> Problem:
    key = path[-1]
    if path == ("network",):
        return Problem(pointer=(), message=_NETWORK, fix="network: bgp  # or overlay, or host")
    return Problem(pointer=path[:-1], message=f"{key} is missing", fix=f"add `{key}:`")


def _unknown_key(path: Path) -> Problem:
    key, known = str(path[-1]), _keys_at(path[:-1])
    fix = _nearest(key, known) or f"known here: {', '.join(known)}"
    return Problem(pointer=path, message=f"{key} is not a key of a policy here", fix=fix)


def _unknown_value(path: Path, error: ErrorDetails) -> Problem:
    allowed = [
        word.strip(" '") for word in error["ctx"]["expected"].replace(" or ", ",").split(",")
    ]
    found = error["input"]
    if not isinstance(found, str):
        return _wrong_type(path, f"one of {', '.join(allowed)}", found)
    hint = _nearest(found.lower(), allowed) or f"one of {', '.join(allowed)}"
    return Problem(pointer=path, message=f"{found!r} is not known", fix=hint)


def _nearest(word: str, known: list[str]) -> str | None:
    """Ask for the word that is meant. The comparison costs the product of what is compared."""
    if len(word) > _NEAR_MAX:
        return None
    near = get_close_matches(word, known[:_NEAR_MAX], n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else None


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


def _meaning_faults(document: Mapping[Any, Any]) -> Iterator[Fault]:
    """Yield what is wrong between parts, as far as their shapes can be read at all."""
    yield from _repeated_templates(document)
    rules = _mappings(document.get("rules"))
    names: set[str] = set()
    for index, rule in enumerate(rules):
        name = rule.get("name")
        if isinstance(name, str):
            if name in names:
                said = f"a rule named {name!r} stands above already"
                yield _fault(("rules", index, "name"), said)
            names.add(name)
    yield from _unknown_kinds(document, rules)


def _repeated_templates(document: Mapping[Any, Any]) -> Iterator[Fault]:
    seen: set[tuple[str, str, str]] = set()
    for index, template in enumerate(_mappings(document.get("templates"))):
        group = template.get("apiGroup")
        for key in ("kind", "resource"):
            value = template.get(key)
            if not isinstance(value, str):
                continue
            path = ("templates", index, key)
            if key == "kind" and value in _BUILTIN_KINDS:
                yield _fault(path, f"{value} is built in already", "remove it")
            elif (key, str(group), value) in seen:
                said = f"{value} of {group} stands above already"
                yield _fault(path, said, "keep one, with all its apiVersions")
            seen.add((key, str(group), value))


def _unknown_kinds(document: Mapping[Any, Any], rules: list[Mapping[Any, Any]]) -> Iterator[Fault]:
    templates = _mappings(document.get("templates"))
    given = [kind for t in templates if isinstance(kind := t.get("kind"), str)]
    known, words = {*_BUILTIN_KINDS, *given}, [*_BUILTIN_KINDS, *given[:_NEAR_MAX]]
    for index, rule in enumerate(rules):
        match = rule.get("match")
        kinds = match.get("kinds") if isinstance(match, Mapping) else None
        for at, kind in enumerate(kinds if isinstance(kinds, list) else ()):
            if isinstance(kind, str) and kind not in known:
                path: Path = ("rules", index, "match", "kinds", at)
                yield path, partial(_unknown_kind, path, kind, words)


def _fault(path: Path, message: str, fix: str | None = None) -> Fault:
    return path, partial(Problem, pointer=path, message=message, fix=fix)


def _unknown_kind(path: Path, kind: str, known: list[str]) -> Problem:
    fix = _nearest(kind, known) or f"one of {', '.join(known)}, or add templates"
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
