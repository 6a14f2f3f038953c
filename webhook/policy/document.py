"""The policy file as it is written: one closed model, which also yields the schema for editors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from webhook.placement import labels
from webhook.policy.foreign import ApiGroup, ApiVersion, Kind, Resource
from webhook.policy.globs import ImageGlob, NameGlob, NamespaceGlob, OneLine, RuleName
from webhook.policy.refusals import refuse
from webhook.policy.words import (
    Action,
    Conflicts,
    Credentials,
    Enforcement,
    Network,
    OnUpdate,
    Placement,
)

API_VERSION = "hybrid-guard.io/v1alpha1"
PLACEMENT_LABEL = "hybrid-guard.io/placement"


def _label_key(text: str) -> str:
    if not labels.is_key(text):
        raise refuse(f"{text!r} cannot be a label key", "an optional DNS prefix, `/` and a name")
    return text


def _label_value(text: str) -> str:
    if not labels.is_value(text):
        raise refuse(f"{text!r} cannot be a label value", "at most 63 letters, digits, - _ .")
    return text


def _object_name(text: str) -> str:
    if not labels.is_subdomain(text):
        raise refuse(f"{text!r} cannot be a name", "lower-case letters, digits, - and .")
    return text


def _namespace(text: str) -> str:
    if not labels.is_label(text):
        raise refuse(f"{text!r} cannot be a namespace", "lower-case letters, digits and -")
    return text


def _template_path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/") or "//" in text:
        raise refuse(f"{text!r} is not a JSON pointer to a pod template", "/spec/template")
    return text


def _weight(number: int) -> int:
    if not 1 <= number <= 100:  # noqa: PLR2004  # the range Kubernetes gives preferred terms
        raise refuse(f"{number} is not between 1 and 100", None)
    return number


def _selector(value: Any) -> Any:
    """Read a plain mapping of labels as matchLabels."""
    if isinstance(value, dict) and not value.keys() & {"matchLabels", "matchExpressions"}:
        return {"matchLabels": value}
    return value


def _texts(pattern: str, longest: int) -> dict[str, Any]:
    return {"pattern": pattern, "maxLength": longest}


def _schema(pattern: str, longest: int) -> Any:
    return Field(json_schema_extra=_texts(pattern, longest))


LabelKey = Annotated[
    StrictStr,
    AfterValidator(_label_key),
    _schema(labels.KEY_PATTERN, labels.KEY_MAX),
]
LabelValue = Annotated[
    StrictStr, AfterValidator(_label_value), _schema(labels.VALUE_PATTERN, labels.NAME_MAX)
]
Namespace = Annotated[
    StrictStr,
    AfterValidator(_namespace),
    _schema(labels.LABEL_PATTERN, labels.NAME_MAX),
]
ObjectName = Annotated[
    StrictStr,
    AfterValidator(_object_name),
    _schema(labels.SUBDOMAIN_PATTERN, labels.SUBDOMAIN_MAX),
]


class _Closed(BaseModel):
    """A part of the document: unknown keys are refused, names are camelCase."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, use_attribute_docstrings=True
    )


class CloudNodesPart(_Closed):
    """The node label that tells cloud nodes."""

    key: LabelKey = "alibabacloud.com/external"
    """The label key."""
    values: Annotated[tuple[LabelValue, ...], Field(min_length=1)] = ("true",)
    """The values that mean a cloud node."""


class LabelExpression(_Closed):
    """One expression of a label selector."""

    key: LabelKey
    """The label key."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the values are compared."""
    values: tuple[LabelValue, ...] = ()
    """The values, for In and NotIn only."""

    @model_validator(mode="after")
    def _values_fit(self) -> LabelExpression:
        if bool(self.values) != (self.operator in ("In", "NotIn")):
            wants = "needs values" if self.operator in ("In", "NotIn") else "takes no values"
            raise refuse(f"operator {self.operator} {wants}")
        return self


class LabelSelectorPart(_Closed):
    """A Kubernetes label selector."""

    match_labels: dict[LabelKey, LabelValue] = {}
    """Labels that must have exactly these values."""
    match_expressions: tuple[LabelExpression, ...] = ()
    """Expressions that must all hold."""


_LABELS_SCHEMA = {
    "type": "object",
    # Not propertyNames: Helm tells a wrong place for those.
    "patternProperties": {
        labels.KEY_PATTERN: {"type": "string", **_texts(labels.VALUE_PATTERN, labels.NAME_MAX)}
    },
    "additionalProperties": False,
}
_SELECTOR_SCHEMA = {
    "description": "Labels of the workload: a plain mapping, or a full label selector.",
    "type": "object",
    "anyOf": [
        _LABELS_SCHEMA,
        {
            "properties": {
                "matchLabels": _LABELS_SCHEMA,
                "matchExpressions": {"type": "array", "items": LabelExpression.model_json_schema()},
            },
            "additionalProperties": False,
        },
    ],
}


class MatchPart(_Closed):
    """What a rule applies to; all keys given must fit, an absent key fits everything."""

    kinds: Annotated[tuple[StrictStr, ...], Field(min_length=1)] | None = None
    """Workload kinds, such as DaemonSet or CronJob."""
    namespaces: Annotated[tuple[NamespaceGlob, ...], Field(min_length=1)] | None = None
    """Namespaces, shell-style globs."""
    names: Annotated[tuple[NameGlob, ...], Field(min_length=1)] | None = None
    """Names, shell-style globs."""
    labels: Annotated[
        LabelSelectorPart | None, BeforeValidator(_selector), WithJsonSchema(_SELECTOR_SCHEMA)
    ] = None
    """Labels of the workload."""
    images: Annotated[tuple[ImageGlob, ...], Field(min_length=1)] | None = None
    """Images of any container or init container, shell-style globs."""


class RulePart(_Closed):
    """One rule of the user's; the first that matches wins."""

    name: RuleName
    """The name shown in messages, logs and metrics."""
    match: MatchPart = MatchPart()
    """What the rule applies to."""
    placement: Placement
    """Where those workloads belong."""
    enforcement: Enforcement = Enforcement.REQUIRED
    """Whether the scheduler must obey or only prefers."""
    weight: Annotated[
        Annotated[StrictInt, AfterValidator(_weight)] | None,
        Field(json_schema_extra={"minimum": 1, "maximum": 100}),
    ] = None
    """The weight of a preferred term, 1 to 100 (100 unless given)."""
    action: Action | None = None
    """What admission does; defaults.action unless given."""

    @model_validator(mode="after")
    def _preference_fits(self) -> RulePart:
        if self.enforcement is Enforcement.REQUIRED:
            if self.weight is not None:
                raise refuse("weight belongs to enforcement: preferred", "remove weight")
        elif self.match.kinds is None or "DaemonSet" in self.match.kinds:
            raise refuse(
                "enforcement: preferred cannot apply to DaemonSets: their controller ignores "
                "preferred terms",
                "list match.kinds without DaemonSet, or use enforcement: required",
            )
        return self


class DefaultsPart(_Closed):
    """What holds where a rule says nothing."""

    action: Action = Action.INJECT
    """What admission does about a workload that could land on the wrong side."""
    conflicts: Conflicts = Conflicts.DENY
    """What admission does about a workload that contradicts a rule."""
    on_update: OnUpdate = OnUpdate.ALWAYS
    """Whether an UPDATE is injected also when the template did not change."""


class TemplatePart(_Closed):
    """A further kind that carries a pod template."""

    api_group: ApiGroup
    """The API group, such as apps.kruise.io."""
    api_versions: Annotated[tuple[ApiVersion, ...], Field(min_length=1)]
    """The versions in which the template stands at `path`."""
    resource: Resource
    """The plural resource name."""
    kind: Kind
    """The kind."""
    path: Annotated[
        StrictStr,
        AfterValidator(_template_path),
        Field(json_schema_extra={"pattern": "^(/[^/]+)+$"}),
    ]
    """A JSON pointer to the pod template."""


class OverridesPart(_Closed):
    """Where a workload's own label may decide."""

    label: LabelKey = PLACEMENT_LABEL
    """The label; its value is on-prem, cloud or any."""
    namespaces: tuple[NamespaceGlob, ...] = ()
    """Namespaces where it counts, shell-style globs; none unless given."""


class EniConfigPart(_Closed):
    """Which ConfigMap is Terway's, and how it may get credentials."""

    namespace: Namespace = "kube-system"
    """The namespace of the ConfigMap."""
    name: ObjectName = "eni-config"
    """The name of the ConfigMap."""
    credentials: Credentials = Credentials.INLINE
    """Where credentials may come from."""
    installers: tuple[OneLine, ...] = ()
    """Users or groups, as globs, that may create it with both credentials still blank."""

    @field_validator("credentials", mode="before")
    @classmethod
    def _off_without_quotes(cls, value: object) -> object:
        """Take `off` for the word it is: YAML 1.1 reads it as false."""
        return "off" if value is False else value


class PolicyDocument(_Closed):
    """The policy of hybrid-guard."""

    api_version: Literal["hybrid-guard.io/v1alpha1"]
    """The version of this format."""
    kind: Literal["Policy"]
    """Always Policy."""
    cloud_nodes: CloudNodesPart = CloudNodesPart()
    """The node label that tells cloud nodes."""
    network: Network
    """The data path of the on-prem CNI. Required: a wrong guess cuts nodes off."""
    catalogue: StrictBool = True
    """Whether the built-in rules for known CNI add-ons apply, after the rules below."""
    defaults: DefaultsPart = DefaultsPart()
    """What holds where a rule says nothing."""
    rules: tuple[RulePart, ...] = ()
    """The user's rules; the first that matches wins."""
    templates: tuple[TemplatePart, ...] = ()
    """Further kinds that carry a pod template."""
    overrides: OverridesPart = OverridesPart()
    """Where a workload's own label may decide."""
    eni_config: EniConfigPart = EniConfigPart()
    """Terway's ConfigMap."""
