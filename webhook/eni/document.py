"""An eni-config ConfigMap as the rules see it: its data, and eni_conf parsed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from webhook.eni import jsontext
from webhook.eni.jsontext import JsonError, Node
from webhook.findings import Finding, Level, Location, ObjectRef

Mode = Literal["inline", "secret-or-inline", "off"]
ENI_CONF = "eni_conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class EniDocument:
    """What a rule may look at.

    `eni_conf` is the text, None when it is absent or blank. `root` is its parsed value, None when
    it does not parse; then `error` says why. `fields` are its members, {} for a top-level null,
    None when it is no object at all. `mode` is the policy's say on credentials.
    """

    ref: ObjectRef | None
    data: Mapping[str, Any]
    mode: Mode
    eni_conf: str | None
    root: Node | None = None
    fields: Mapping[str, Node] | None = None
    error: JsonError | None = None

    def text_of(self, field: str) -> str:
        """Return a string field of eni_conf; whatever is no string counts as blank."""
        node = (self.fields or {}).get(field)
        return node.value if node is not None and node.kind == "string" else ""

    def finding(
        self,
        rule: str,
        level: Level,
        path: str,
        message: str,
        *,
        fix: str | None = None,
        node: Node | None = None,
    ) -> Finding:
        """Return a finding at a path, pointing at a node of eni_conf if one is given."""
        line = column = None
        if node is not None and self.eni_conf is not None:
            line, column = jsontext.position(self.eni_conf, node.start)
        return Finding(
            rule=rule,
            level=level,
            message=f"{path}: {message}",
            fix=fix,
            object=self.ref,
            location=Location(line=line, column=column, pointer=f"/data/{ENI_CONF}"),
        )


def read(data: Mapping[str, Any], mode: Mode, ref: ObjectRef | None = None) -> EniDocument:
    """Parse a ConfigMap's data once for all rules."""
    text = data.get(ENI_CONF)
    if not isinstance(text, str) or not text.strip():
        return EniDocument(ref=ref, data=data, mode=mode, eni_conf=None)
    try:
        root = jsontext.parse(text)
    except JsonError as error:
        return EniDocument(ref=ref, data=data, mode=mode, eni_conf=text, error=error)
    fields = root.members() if root.kind in ("object", "null") else None
    return EniDocument(ref=ref, data=data, mode=mode, eni_conf=text, root=root, fields=fields)
