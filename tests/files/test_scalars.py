"""A place inside an embedded text is found in the file, through every scalar style."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml

from tests.conftest import SEED, scaled
from webhook.audit import inspect
from webhook.audit.report import Report
from webhook.files import manifests
from webhook.files.document import Document
from webhook.files.manifests import Manifest
from webhook.policy import parse
from webhook.policy.words import Network

HEAD = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: eni-config, namespace: kube-system}\ndata:\n"
)

STYLES = {
    "literal": ('  eni_conf: |\n    {\n      "ip_stack": "ipv6"\n    }\n', (7, 19), (2, 15)),
    "literal with an indentation of its own": ('  eni_conf: |2-\n     {"x": 1,\n    "ip_stack": "ipv6"}\n', (7, 17), (2, 13)),
    "literal with a comment": ('  eni_conf: |-  # c\n        {\n\n        "ip_stack":"ipv6"}\n', (8, 20), (3, 12)),
    "folded": ('  eni_conf: >-\n    {"x":\n    1,\n    "ip_stack":   "ipv6"}\n', (8, 19), (1, 24)),
    "folded with a deeper line": ('  eni_conf: >\n    {\n      "ip_stack": "ipv6"\n    }\n', (7, 19), (2, 15)),
    "plain": ('  eni_conf: "{\\"ip_stack\\":\\"ipv6\\"}"\n', (5, 28), (1, 13)),
    "double quoted over lines": ('  eni_conf: "{\\"ip_stack\\":\\\n     \\"ipv6\\"}"\n', (6, 6), (1, 13)),
    "double quoted, folded": ('  eni_conf: "{\\"ip_stack\\":\n\n     \\"ipv6\\"}"\n', (7, 6), (2, 1)),
    "double quoted with numbers": ('  eni_conf: "\\x7b\\u0022ip_stack\\":\\U00000022ipv6\\"}"\n', (5, 35), (1, 13)),
    "single quoted": ("  eni_conf: '{\"x\":\"''\",\"ip_stack\":\"ipv6\"}'\n", (5, 35), (1, 21)),
    "single quoted over lines": ("  eni_conf: '{\"ip_stack\":\n\n\n    \"ipv6\"}'\n", (8, 5), (3, 1)),
    "with wide characters": ('  eni_conf: |\n    {"é": "网络", "ip_stack": "ipv6"}\n', (6, 29), (1, 25)),
}  # fmt: skip
FLOW = (
    '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config",\n'
    '\t"namespace": "kube-system"}, "data": {"eni_conf":\n"{\\"ip_stack\\":\\t\\"ipv6\\"}"}}\n'
)


def found(text: str) -> Any:
    """The finding about ip_stack, as an audit of the text reports it."""
    report = Report()
    for manifest in manifests.parse(text, "f.yaml"):
        by = parse.for_network(Network.BGP)
        inspect.inspect(manifest.object, by, report, source=manifest, namespace_placements={})
    finding = next(finding for finding in report.findings if finding.rule == "ENI060")
    return finding.location, report.excerpt(finding)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "BOM"])
def test_a_value_is_found_in_every_style(style: str, ends: str, mark: str) -> None:
    data, place, inner = STYLES[style]
    text = mark + (HEAD + data).replace("\n", ends)

    location, excerpt = found(text)

    assert (location.line, location.column) == place
    assert location.embedded == inner
    assert excerpt.text[excerpt.caret] in '"\\'
    line = (HEAD + data).split("\n")[place[0] - 1]
    assert line[place[1] - 1] in '"\\'


def test_a_value_is_found_in_json() -> None:
    location, _ = found(FLOW)

    assert (location.line, location.column) == (3, 18)
    assert location.embedded == (1, 14)


def test_a_list_of_objects_keeps_each_place() -> None:
    item = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: eni-config, namespace: kube-system}, data: {eni_conf: "
    text = "apiVersion: v1\nkind: List\nitems:\n" + item + '\'{"ip_stack": "ipv6"}\'}}\n'

    location, _ = found(text)

    assert (location.line, location.column) == (4, len(item) + len('\'{"ip_stack": ') + 1)


MARK = "\u00a7"
PIECES = [
    "a",
    '"',
    "'",
    ":",
    " ",
    "  ",
    "\n",
    "#",
    "é",
    "\\",
    "{",
    "}",
    "\t",
    "x y",
    "- ",
    "网",
    "\n\n",
    "%",
    "|",
]


def test_any_character_is_found_in_any_style() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    for _ in range(scaled(5_000)):
        before, after = ("".join(rng.choices(PIECES, k=rng.randint(0, 30))) for _ in range(2))
        value = before + MARK + after
        text = yaml.safe_dump(
            {"k": {"deeper": [value]}},
            default_style=rng.choice((None, '"', "'", "|", ">")),
            width=rng.choice((20, 80, 1000)),
            allow_unicode=rng.random() < 0.7,
            line_break=rng.choice(("\n", "\r\n")),
            default_flow_style=rng.random() < 0.3,
        )
        written = text.find(MARK) if MARK in text else text.find("\\xA7")
        line = text.count("\n", 0, written) + 1
        column = written - (text.rfind("\n", 0, written) + 1) + 1

        assert place(text, value) == (line, column), (value, text)


def place(text: str, value: str) -> tuple[int, int]:
    manifest = Manifest(
        object={}, document=Document(file="f", text=text), prefix=("k", "deeper", 0)
    )
    at = value.find(MARK)
    line = value.count("\n", 0, at) + 1
    return manifest.locate((), (line, at - (value.rfind("\n", 0, at) + 1) + 1))


def test_every_line_of_a_report_is_masked() -> None:
    secret, key = "k9TqWz4LmXv7RbYc2PnHs8JdFg3AeU", "LTAI5tQ7WmZk3VxR9pHsN2Bd"
    conf = {"ip_stack": "ipv6", "access_key": key, "access_secret": secret, "x": secret[:12]}
    for style in (None, '"', "'", "|"):
        data = yaml.safe_dump({"data": {"eni_conf": json.dumps(conf)}}, default_style=style)
        text = HEAD.replace("data:\n", "") + data

        _, excerpt = found(text)

        assert "ip_stack" in excerpt.text
        assert not any(
            word[at : at + 4] in excerpt.text for word in (secret, key) for at in range(20)
        )
