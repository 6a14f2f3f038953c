"""Whatever stands where something else belongs, a verb ends with a status, never with a traceback."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.conftest import ROOT, SEED, scaled
from webhook.cli import FOUND, USAGE, cli

Path_ = tuple[str | int, ...]
VALUES: tuple[Any, ...] = (
    None, 0, -1, 1.5, True, "", "x", "\u202e", "{{ .x }}", 10**30,
    [], {}, [None], [{}], ["a"], {"a": None}, {"": ""},
)  # fmt: skip
VERBS = (
    ["audit", "--merged", "--format", "table"], ["audit", "--format", "json"], ["audit", "--format", "sarif"],
    ["audit", "--format", "junit"], ["audit", "--format", "html"], ["audit", "--format", "policyreport"],
    ["explain"], ["explain", "-o", "json"], ["patch"], ["patch", "--diff"],
)  # fmt: skip
POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: core, match: {namespaces: ["shop*"], labels: {team: core}}, placement: on-prem}
- {name: soft, match: {kinds: [StatefulSet]}, placement: on-prem, enforcement: preferred}
- {name: rest, match: {images: ["docker.io/*"]}, placement: cloud, action: warn}
overrides: {namespaces: ["*"]}
eniConfig: {credentials: secret-or-inline}
"""
MORE = """\
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {hybrid-guard.io/placement: on-prem}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  namespace: shop
  labels: {hybrid-guard.io/placement: cloud}
  managedFields: [{manager: m, operation: Apply, fieldsV1: {"f:spec": {"f:template": {}}}}]
  ownerReferences: [{apiVersion: operator.tigera.io/v1, kind: Installation, name: default}]
spec:
  template: {spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: c}}], nodeSelector: {a: b}}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: zoned}}]
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c, namespace: shop}, spec: {volumeName: v}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: v}
spec:
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: zoned}
allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a]}]}]
---
{apiVersion: v1, kind: Node, metadata: {name: n, labels: {terway-config: pool, zone: a}}}
---
{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: p}, spec: {ipipMode: Always}}
"""


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)  # noqa: S311  # generated cases, nothing secret


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    steps: Any = ()
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, child in steps:
        yield (*path, step)
        yield from places(child, (*path, step))


def broken(obj: Any, rng: random.Random) -> Any:
    """Something else at one to three places of a copy."""
    obj = copy.deepcopy(obj)
    for _ in range(rng.randint(1, 3)):
        *above, last = rng.choice([*places(obj), ("kind",)])
        parent = obj
        for step in above:
            parent = parent[step]
        parent[last] = copy.deepcopy(rng.choice(VALUES))
    return obj


def ended(verb: list[str], text: str | bytes) -> int:
    """The exit status of a verb that reads a text."""
    done = CliRunner().invoke(cli, [*verb, "-"], input=text)
    assert isinstance(done.exception, SystemExit | None), (verb, text, done.exc_info)
    assert done.exit_code in (0, FOUND, USAGE), (verb, text)
    return done.exit_code


def test_no_shape_of_an_object_makes_a_traceback(tmp_path: Path, rng: random.Random) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    texts = [MORE, *(path.read_text() for path in sorted((ROOT / "examples").glob("*.yaml")))]
    objects = [obj for text in texts for obj in yaml.safe_load_all(text) if "metadata" in obj]
    for _ in range(scaled(10_000)):
        some = [broken(rng.choice(objects), rng) for _ in range(rng.randint(1, 6))]
        text = "\n---\n".join(map(json.dumps, some))
        for verb in ([*rng.choice(VERBS), "--policy", str(tmp_path / "policy.yaml")], ["detect"]):
            ended(verb, text)


def test_no_shape_of_a_policy_makes_a_traceback(tmp_path: Path, rng: random.Random) -> None:
    kruise = {"apiGroup": "apps.kruise.io", "apiVersions": ["v1alpha1"], "resource": "clonesets",
              "kind": "CloneSet", "path": "/spec/template"}  # fmt: skip
    policy = {**yaml.safe_load(POLICY), "templates": [kruise]}
    file, refused = tmp_path / "policy.yaml", 0
    for _ in range(scaled(10_000)):
        file.write_text(yaml.safe_dump(broken(policy, rng)))
        refused += ended(["explain", "--policy", str(file)], MORE) == USAGE
    assert refused


TOKENS = (
    b"---\n", b"...\n", b"&a ", b"*a", b"{", b"}", b"[", b"]", b'"', b"'", b"|\n", b">-\n", b"\t", b"\r\n",
    b"\xef\xbb\xbf", b"!!binary ", b"!x ", b"<<: *a\n", b"? ", b": ", b"- ", b",", b"%YAML 1.2\n", b"\x00",
    b"\xff", b"\xc2\x85", b"# c\n", b"\\u", b"\\ud800", b"1e999", b"NaN",
)  # fmt: skip


def edited(text: bytes, rng: random.Random) -> bytes:
    """A text with one to four pieces put in, taken out or overwritten."""
    edit = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(edit) + 1)
        width = rng.choice((0, 0, 1, 20))
        piece = rng.choice((*TOKENS, b"", bytes([rng.randrange(256)]), text[at : at + 300]))
        edit[at : at + width] = piece
    return bytes(edit)


def test_no_text_makes_a_traceback(rng: random.Random) -> None:
    texts = [MORE.encode(), *(path.read_bytes() for path in (ROOT / "examples").glob("*.yaml"))]
    for text in list(texts):
        items = [obj for obj in yaml.safe_load_all(text) if obj]
        listed = {"apiVersion": "v1", "kind": "List", "items": items}
        texts += [json.dumps(listed, indent=indent).encode() for indent in (None, 2)]
    for _ in range(scaled(10_000)):
        text = edited(rng.choice(texts), rng)
        for verb in ("audit", "explain", "patch", "detect"):
            ended([verb] if verb == "detect" else [verb, "--network", "bgp"], text)
