"""What a finding speaks of is shown: one line, safe, and as wide as there is room."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.audit.rendering import rendered
from webhook.audit import inspect
from webhook.audit.excerpt import Excerpt, cut, of_pod_spec
from webhook.audit.origin import Live
from webhook.audit.report import Report
from webhook.placement.selector import TERMS
from webhook.policy import parse
from webhook.policy.words import Network

LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
ARCH = {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm", "s390x"]}
HERE = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
BARE = {"key": "edge", "operator": "Exists"}


def requiring(*terms: Any, **more: Any) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [*terms]}}
    secret = {"name": "TOKEN", "value": "s3cr3t"}
    return {
        "containers": [{"image": "harbor:5000/a", "env": [secret]}],
        "affinity": {"nodeAffinity": required},
        **more,
    }


TWO = requiring(
    {"matchExpressions": [LINUX, ARCH]},
    {"matchExpressions": [BARE], "matchFields": [HERE]},
    {},
    nodeSelector={"disk": "ssd", "zone": "a"},
)
FIRST = "nodeSelectorTerms[0]: kubernetes.io/os In [linux], kubernetes.io/arch NotIn [arm, s390x]"
SECOND = "nodeSelectorTerms[1]: edge Exists, metadata.name In [n1]"


@pytest.mark.parametrize(
    ("pod_spec", "path", "text"),
    [
        (TWO, (*TERMS, 0), FIRST),
        (TWO, (*TERMS, 1), SECOND),
        (TWO, (*TERMS, 1, "matchFields", 0), SECOND),
        (TWO, (*TERMS, 2), "nodeSelectorTerms[2]: empty"),
        (requiring({"matchExpressions": [BARE]}, nodeSelector={"a": "b", "c": ""}), (), "nodeSelector: a=b, c=; nodeSelectorTerms[0]: edge Exists"),
        ({"nodeSelector": {"a": "b"}, "affinity": None}, (), "nodeSelector: a=b"),
        ({"containers": []}, (), "no nodeSelector, no nodeSelectorTerms"),
        (TWO, ("containers", 0, "image"), "containers[0].image: harbor:5000/a"),
        ({"nodeSelector": {"a": "\u202eb\n"}}, (), "nodeSelector: a= b "),
    ],
)  # fmt: skip
def test_of_a_pod_spec_what_chooses_nodes_is_shown(
    pod_spec: dict[str, Any], path: tuple[str | int, ...], text: str
) -> None:
    assert of_pod_spec(pod_spec, path, 7) == Excerpt(7, text)


@pytest.mark.parametrize(
    ("pod_spec", "path"),
    [
        (TWO, ("containers", 0, "env", 0, "value")),
        (TWO, ("volumes", 0)),
        (TWO, TERMS),
        (requiring("a text"), (*TERMS, 0)),
        (requiring({"matchExpressions": "a text"}), (*TERMS, 0, "matchExpressions")),
        (requiring({"matchExpressions": [{"key": 1}]}), ()),
    ],
)  # fmt: skip
def test_nothing_else_is_shown_and_nothing_that_is_broken(
    pod_spec: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    assert of_pod_spec(pod_spec, path, 7) is None


@pytest.mark.parametrize(
    ("column", "width", "text", "caret"),
    [
        (1, 10, "abcdefghi…", 0),
        (6, 10, "abcdefghi…", 5),
        (12, 10, "…hijklmno…", 5),
        (26, 10, "…vwxyz", 5),
        (27, 10, "…wxyz", 5),
        (99, 10, "…wxyz", 5),
        (13, 26, "abcdefghijklmnopqrstuvwxyz", 12),
    ],
)
def test_a_long_line_is_cut_around_its_caret(
    column: int, width: int, text: str, caret: int
) -> None:
    line = "abcdefghijklmnopqrstuvwxyz"

    part = cut(line, 3, column).within(width)

    assert part == Excerpt(3, text, caret)
    assert caret == len(text) or column > len(line) or text[caret] == line[column - 1]


def live(*objects: dict[str, Any]) -> Report:
    report = Report()
    by = parse.for_network(Network.BGP)
    for obj in objects:
        inspect.inspect(obj, by, report, source=Live(), namespace_placements={})
    return report


def daemonset(name: str, **labels: str) -> dict[str, Any]:
    pod = {"nodeSelector": labels, "containers": []}
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": pod}},
    }  # fmt: skip


def test_objects_of_a_cluster_have_theirs_each_its_own() -> None:
    report = live(daemonset("calico-node", os="linux"), daemonset("kube-router", os="any"))

    shown = [line for line in rendered("table", (), report).splitlines() if " | " in line]

    assert shown == [
        f"{' ' * 17} | nodeSelector: os=linux",
        f"{' ' * 17} | nodeSelector: os=any",
    ]


def test_json_inside_an_object_of_a_cluster_is_shown_by_its_own_lines_and_masked() -> None:
    conf = (
        '{"version": "1",\n "access_key": "LTAI5tQnKxV3mWbZ7yRcPdHs", "ip_stack": "ipv6",\n "x": 1}'
    )
    report = live({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config", "namespace": "kube-system"},
        "data": {"eni_conf": conf},
    })  # fmt: skip

    lines = rendered("table", (), report).splitlines()

    at = next(i for i, line in enumerate(lines) if "ENI060" in line)
    masked = '                2 |  "access_key": "••••••••••••••••••••••••", "ip_stack": "ipv6",'
    assert lines[at + 2] == masked
    assert lines[at + 3].index("^") == masked.index('"ipv6"')
    assert "LTAI5tQnKxV3mWbZ7yRcPdHs" not in json.dumps(lines)
