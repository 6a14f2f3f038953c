"""One HTML file: summary, workloads by side, findings with filter and search, the rules that spoke.

It asks nothing of the network, works without its script, and lets no manifest's author act: Jinja
escapes every value, and the content security policy runs our script alone, named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from webhook.audit import rulebook
from webhook.audit.formats import matrix
from webhook.audit.formats.output import Output, visible
from webhook.audit.formats.table import counted
from webhook.audit.report import Report, Row, worst_first
from webhook.findings import Level
from webhook.placement.model import Side

_HERE = Path(__file__).parent


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write the page."""
    from markupsafe import Markup  # noqa: PLC0415  # costs what `--help` takes

    style, script = (
        Markup((_HERE / name).read_text("utf-8"))  # noqa: S704  # files of this folder
        for name in ("page.css", "page.js")
    )
    told = _template().generate(
        style=style,
        script=script,
        policy=_content_policy(style, script),
        now=output.now,
        version=output.version,
        **_content(rows, report),
    )
    for piece in told:
        output.write(piece)


@cache
def _template() -> Any:
    """Return the page, compiled once: 30 ms."""
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415  # costs what `--help` takes

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(counted=counted, Side=Side)
    return environment.get_template("page.html")


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return value if hasattr(value, "__html__") else visible(str(value))


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
    workloads = matrix.of(rows)  # first: while the rows are read the report fills
    rules = Counter(finding.rule for finding in report.findings)
    book = rulebook.pages()
    objects = [finding.object for finding in report.findings if finding.object]
    return {
        "report": report,
        "levels": {level: report.count(level) for level in Level},
        "findings": worst_first(report.findings),
        "told": Counter((found.object, found.location.file) for found in report.findings),
        "matrix": workloads,
        "rules": [(book[rule], count) for rule, count in sorted(rules.items())],
        "namespaces": sorted({ref.namespace for ref in objects if ref.namespace}),
    }
