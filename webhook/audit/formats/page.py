"""One HTML file: summary, workloads by side, findings with filter and search, the rules that spoke.

It asks nothing of the network, works without its script, and lets no manifest's author act: Jinja
escapes every value, and the content security policy runs our script alone, named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webhook.audit import rulebook
from webhook.audit.formats.output import Output, visible
from webhook.audit.formats.table import counted
from webhook.audit.report import Report, Row, worst_first
from webhook.findings import Finding, Level, ObjectRef
from webhook.placement.model import Side, Sides

_HERE = Path(__file__).parent
_Key = tuple[ObjectRef | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workload:
    """A line of the matrix. `verdict`: wrong, none, right or free; `findings` counts its own."""

    row: Row
    verdict: str
    findings: int


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write the page."""
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415  # costs what `--help` takes
    from markupsafe import Markup  # noqa: PLC0415

    def shown(value: Any) -> Any:
        if value is None:
            return ""
        return value if hasattr(value, "__html__") else visible(str(value))

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(counted=counted, Side=Side)
    style, script = (
        Markup((_HERE / name).read_text("utf-8"))  # noqa: S704  # files of this folder
        for name in ("page.css", "page.js")
    )
    told = environment.get_template("page.html").generate(
        style=style,
        script=script,
        policy=_content_policy(style, script),
        now=output.now,
        version=output.version,
        **_content(rows, report),
    )
    for piece in told:
        output.write(piece)


def _content_policy(style: str, script: str) -> str:
    """Return what the browser may do: apply this style, run this script, nothing else."""
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _content(rows: Iterable[Row], report: Report) -> dict[str, Any]:
    of = {_key(row.ref, row.location.file): row for row in rows}
    told = Counter(_key(finding.object, finding.location.file) for finding in report.findings)
    workloads = [
        _Workload(row=row, verdict=_verdict(row), findings=told[key]) for key, row in of.items()
    ]
    rules = Counter(finding.rule for finding in report.findings)
    book = rulebook.pages()
    return {
        "report": report,
        "levels": {level: report.count(level) for level in Level},
        "findings": [
            (finding, report.excerpts.get(finding.location))
            for finding in worst_first(report.findings)
        ],
        "workloads": sorted(workloads, key=_order),
        "verdicts": Counter(workload.verdict for workload in workloads),
        "rules": [(book[rule], count) for rule, count in sorted(rules.items())],
        "namespaces": sorted({_namespace(finding) for finding in report.findings} - {""}),
    }


def _key(ref: ObjectRef | None, file: str | None) -> _Key:
    return ref, file


def _namespace(finding: Finding) -> str:
    return (finding.object.namespace if finding.object else None) or ""


_VERDICTS = ("wrong", "none", "right", "free")


def _verdict(row: Row) -> str:
    """Say how a workload stands to what policy asks of it."""
    side = row.decision.placement.side
    if row.proof is not None and row.proof.sides is Sides.NONE:
        return "none"
    if side is None or row.proof is None:
        return "free"
    return "right" if row.proof.sides.value == side.value else "wrong"


def _order(workload: _Workload) -> tuple[int, str, str, str]:
    ref = workload.row.ref
    return _VERDICTS.index(workload.verdict), ref.namespace or "", ref.name, ref.kind
