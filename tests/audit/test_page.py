"""What the HTML report says before anything filters it; tests/browser looks at it with a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.audit.rendering import audited, rendered
from webhook.audit.formats import matrix
from webhook.audit.report import Report, Row
from webhook.policy.words import Enforcement, Placement


def rows(spec: str) -> list[Row]:
    """The row of calico-node with a pod spec, which the catalogue wants on-prem."""
    return audited(
        text="apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\n"
        f"spec: {{template: {{spec: {spec}}}}}\n"
    )[0]


CLOUD, HOME = (
    "{nodeSelector: {alibabacloud.com/external: 'true'}}",
    "{nodeSelector: {alibabacloud.com/external: 'no'}}",
)
NOWHERE = "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{}]}}}}"


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [("{}", "wrong"), (CLOUD, "wrong"), (HOME, "right"), (NOWHERE, "none"), ("[]", None)],
)
def test_a_workload_stands_to_its_side_as_its_selectors_say(spec: str, verdict: str | None) -> None:
    found = matrix.of(rows(spec))

    assert list(found.verdicts) == ([verdict] if verdict else [])
    assert len(found.wrong) == (verdict in ("wrong", "none"))


def test_what_need_not_keep_to_a_side_is_free() -> None:
    [row] = rows("{}")
    asked = row.decision
    for decision in (
        replace(asked, placement=Placement.ANY),
        replace(asked, enforcement=Enforcement.PREFERRED),
    ):
        assert dict(matrix.of([replace(row, decision=decision)]).verdicts) == {"free": 1}


def test_a_large_cluster_has_its_wrong_workloads_listed_whole_and_the_others_counted() -> None:
    [wrong], [right] = rows("{}"), rows(HOME)

    found = matrix.of([wrong] * 1200 + [right] * 1200)

    assert (len(found.wrong), len(found.others), found.unlisted) == (1200, 1000, 200)
    text = rendered("html", [wrong] * 1200 + [right] * 1200, Report(workloads=2400))
    assert "200 more of these are not listed here" in text


def test_workloads_are_ordered_by_namespace_and_name() -> None:
    [row] = rows("{}")
    names = [("b", "x"), ("a", "y"), ("a", "x"), (None, "z")]
    found = matrix.of(
        replace(row, ref=replace(row.ref, namespace=namespace, name=name))
        for namespace, name in names
    )

    shown = [(each.row.ref.namespace, each.row.ref.name) for each in found.wrong]
    assert shown == [(None, "z"), ("a", "x"), ("a", "y"), ("b", "x")]


def test_a_clean_audit_says_so() -> None:
    text = rendered("html", rows(HOME), Report(workloads=1, other=3))

    assert "Nothing found in 1 workload and 3 other objects." in text
    assert "interrupted" not in text


def test_half_an_audit_and_a_baseline_are_told() -> None:
    text = rendered("html", (), Report(complete=False, accepted=12))

    assert "The run was interrupted" in text
    assert "12 accepted by the baseline" in text


def test_an_excerpt_marks_the_place() -> None:
    data = '{"ip_stack": "ipv6", "version": "1"}'
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: eni-config, namespace: kube-system}}\ndata:\n  eni_conf: |\n    {data}\n"

    shown = rendered("html", *audited(text=text))

    assert '<span class="line">6</span>    {&#34;ip_stack&#34;: <mark>&#34;</mark>ipv6' in shown


def test_what_chooses_nodes_stands_below_a_finding() -> None:
    text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec:\n  template:\n    spec:\n      nodeSelector: {a: b}\n      containers: []\n"

    shown = rendered("html", *audited(text=text))

    assert '<pre class="excerpt"><span class="line">7</span>nodeSelector: a=b</pre>' in shown
