"""PolicyReport objects, for clusters whose tools show them: one for each object with a finding.

Both APIs have the same fields; `--report-api` says which, or else the cluster that is audited. An
object that has no finding has no report, so that a large cluster's etcd is not filled with good
news.
`kubectl apply --server-side` takes what is written here: client-side apply would keep a second copy
in an annotation, which may not be large.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import yaml

from webhook.audit.formats.output import Output, visible
from webhook.audit.report import Report, Row, worst_first
from webhook.audit.rulebook import topic
from webhook.findings import Finding, Level, ObjectRef, fingerprint

APIS = {
    "wgpolicyk8s": ("wgpolicyk8s.io/v1alpha2", "PolicyReport", "ClusterPolicyReport"),
    "openreports": ("openreports.io/v1alpha1", "Report", "ClusterReport"),
}
DEFAULT_API = "wgpolicyk8s"
SOURCE = "hybrid-guard"
# etcd refuses a request of 1.5 MiB (--max-request-bytes); managedFields come on top of this.
MAX_RESULTS_BYTES = 1_000_000
_RESULT = {
    Level.ERROR: ("fail", "high"),
    Level.WARNING: ("warn", "medium"),
    Level.NOTE: ("warn", "info"),
}
# Of the kinds that audits speak of, those that live in no namespace. Another one that names none is
# meant for the current one, and so is its report.
_IN_NO_NAMESPACE = {"CustomResourceDefinition", "Node", "Namespace", "PersistentVolume", "IPPool"}


def render(rows: Iterable[Row], report: Report, output: Output) -> None:
    """Write a stream of YAML documents; none where nothing was found."""
    deque(rows, maxlen=0)
    of: dict[ObjectRef | None, list[Finding]] = {}
    for finding in report.findings:
        of.setdefault(finding.object, []).append(finding)
    for ref, findings in of.items():
        output.write(
            yaml.dump(
                _report(ref, findings, output),
                Dumper=yaml.CSafeDumper,
                explicit_start=True,
                sort_keys=False,
            )
        )


def _report(ref: ObjectRef | None, findings: list[Finding], output: Output) -> dict[str, Any]:
    api, namespaced, cluster = APIS[output.report_api]
    seconds = int(output.now.timestamp())
    results = list(_fitting(_result(finding, seconds) for finding in worst_first(findings)))
    metadata: dict[str, Any] = {
        "name": _name(ref),
        "labels": {"app.kubernetes.io/managed-by": SOURCE},
    }
    if ref and ref.namespace:
        metadata["namespace"] = ref.namespace
    if len(results) < len(findings):
        left_out = str(len(findings) - len(results))
        metadata["annotations"] = {"hybrid-guard.io/results-left-out": left_out}
    return {
        "apiVersion": api,
        "kind": cluster if ref is None or ref.kind in _IN_NO_NAMESPACE else namespaced,
        "metadata": metadata,
        **({"source": SOURCE} if output.report_api == "openreports" else {}),
        **({"scope": _scope(ref)} if ref else {}),
        "summary": _summary(findings),
        "results": results,
    }


def _scope(ref: ObjectRef) -> dict[str, str]:
    scope = {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name}
    return scope | ({"namespace": ref.namespace} if ref.namespace else {})


def _summary(findings: list[Finding]) -> dict[str, int]:
    counts = Counter(_RESULT[finding.level][0] for finding in findings)
    return {result: counts[result] for result in ("pass", "fail", "warn", "error", "skip")}


def _result(finding: Finding, seconds: int) -> dict[str, Any]:
    result, severity = _RESULT[finding.level]
    place = finding.location
    properties = {
        "level": finding.level.value,
        "fingerprint": fingerprint(finding),
        "fix": finding.fix,
        "location": str(place),
        "pointer": place.pointer,
    }
    return {
        "source": SOURCE,
        "policy": SOURCE,
        "rule": finding.rule,
        "category": topic(finding.rule),
        "result": result,
        "severity": severity,
        "scored": True,
        "message": visible(finding.message),
        "properties": {key: visible(text) for key, text in properties.items() if text},
        "timestamp": {"seconds": seconds, "nanos": 0},
    }


def _fitting(results: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield results for as long as the object is not too large for etcd."""
    size = 0
    for result in results:
        size += len(orjson.dumps(result))
        if size > MAX_RESULTS_BYTES:
            return
        yield result


def _name(ref: ObjectRef | None) -> str:
    """Return a name that an object keeps from run to run: what it is, and a digest of it all."""
    if ref is None:
        return SOURCE
    group = ref.api_version.rpartition("/")[0]
    whole = "\0".join((group, ref.kind, ref.namespace or "", ref.name))
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9]+", "-", f"{ref.kind}-{ref.name}".lower())[:50].strip("-")
    return f"{readable}-{digest}".lstrip("-")
