"""Write the policy into the chart's values.schema.json: `python -m tests.chart_schema`, by `make docs`.

What Helm takes under `policy` is what the server takes: one model says both. What stands above
`$defs` is written by hand.
"""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import ROOT
from webhook.policy import parse

FILE = ROOT / "charts" / "hybrid-guard" / "values.schema.json"
_MARK = '  "$defs": {\n'
_ELSEWHERE = ("apiVersion", "kind", "cloudNodes", "network")  # values of their own, or constants


def text() -> str:
    """Return the file with the policy's part as the model has it now, a line a definition."""
    by_hand, mark, _ = FILE.read_text().partition(_MARK)
    lines = (f"    {json.dumps(name)}: {json.dumps(part)}" for name, part in _definitions().items())
    return by_hand + mark + ",\n".join(lines) + "\n  }\n}\n"


def _definitions() -> dict[str, Any]:
    schema = parse.schema()
    found = {name: _bare(part) for name, part in schema["$defs"].items()}
    # YAML 1.1, which Helm reads, has `off` for false; the server takes it for the word.
    found["Credentials"] = {"enum": [*found["Credentials"]["enum"], False]}
    parts = {key: _bare(part) for key, part in schema["properties"].items()}
    parts = {key: part for key, part in parts.items() if key not in _ELSEWHERE}
    parts["eniConfig"]["required"] = ["namespace", "name"]  # the hook is rendered from them
    closed = {"type": "object", "additionalProperties": False}
    return {**found, "policy": {**closed, "properties": parts, "required": list(parts)}}


def _bare(part: Any) -> Any:
    """Return a part without what only editors show: a default here would have to match values."""
    if isinstance(part, list):
        return [_bare(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _bare(value) for key, value in part.items() if key not in ("title", "default")}


if __name__ == "__main__":
    FILE.write_text(text())
