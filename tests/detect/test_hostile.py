"""Whatever shape the input has, detection answers; and it answers the same way twice."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.objects import Object, config_map, container, daemonset
from webhook.detect import detect, text

NAMES = (
    "calico-node", "canal", "cilium", "kube-flannel-ds", "antrea-agent", "kube-router",
    "kube-ovn-cni", "ovnkube-node", "weave-net", "kindnet", "terway-eniip", "x",
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats()
KEYS = st.sampled_from([
    "spec", "template", "containers", "initContainers", "env", "name", "value", "valueFrom",
    "configMapKeyRef", "args", "command", "volumes", "configMap", "key", "metadata", "labels",
    "status", "data", "net-conf.json", "antrea-agent.conf", "routing-mode", "ipPools", "affinity",
    "ownerReferences", "calicoNetwork", "cidr", "items", "envFrom", "hostPath", "path",
    "nodeSelector", "defaults", "cni_network_config",
])  # fmt: skip
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
KINDS = st.sampled_from([
    ("apps/v1", "DaemonSet"), ("v1", "ConfigMap"), ("v1", "Node"), ("v1", "Pod"), ("v1", "List"),
    ("crd.projectcalico.org/v1", "IPPool"), ("operator.tigera.io/v1", "Installation"),
    ("cilium.io/v2", "CiliumNodeConfig"), ("kubeovn.io/v1", "Subnet"), ("apps/v1", "Deployment"),
])  # fmt: skip


@st.composite
def objects(draw: st.DrawFn) -> Object:
    api_version, kind = draw(KINDS)
    obj: Object = {"apiVersion": api_version, "kind": kind}
    obj["metadata"] = draw(st.just({"name": draw(st.sampled_from(NAMES))}) | TREES)
    pod_spec = draw(TREES)
    obj["spec"] = draw(st.just({"template": {"spec": pod_spec}, **_mapping(pod_spec)}) | TREES)
    obj["data"], obj["status"] = draw(TREES), draw(TREES)
    return obj


def _mapping(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


@given(st.lists(objects(), max_size=4))
def test_any_shape_has_an_answer_and_always_the_same(found: list[Object]) -> None:
    first, second = detect(found), detect(found)

    assert first == second
    assert json.loads(text.document(first))["network"] in (None, "overlay", "bgp", "host")
    assert text.render(first, lambda words, _colour: words)


@pytest.mark.serial
def test_hostile_texts_are_not_known_and_cost_little() -> None:
    bomb = "a: &a [x]\n" + "".join(f"k{n}: &k{n} [*a, *a, *a, *a]\n" for n in range(30))
    texts = ("[" * 100_000, '{"a":' * 50_000, "/* " * 200_000, '"' + "\\" * 300_000, "{" * 9, bomb)
    started = time.process_time()
    for hostile in texts:
        for name, key, usual in (
            ("kube-flannel-ds", "net-conf.json", "kube-flannel-cfg"),
            ("antrea-agent", "antrea-agent.conf", "antrea-config"),
            ("calico-node", "cni_network_config", "calico-config"),
        ):
            agent = daemonset(name, container("x", "-" * 10_000), config=usual)
            detect([agent, config_map(usual, **{key: hostile})])
    spent = time.process_time() - started

    started = time.process_time()
    for _ in range(20):
        json.loads(json.dumps(["x" * 100] * 10_000))
    # Quadratic work on any of these texts would be a thousand times more.
    assert spent < 40 * (time.process_time() - started)


def test_long_and_odd_values_are_shortened_in_evidence() -> None:
    found = detect(
        [daemonset("kube-router", container("kube-router", "--overlay-type=\x1b" + "y" * 500))]
    )

    told = text.render(found, lambda words, _colour: words)
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) < 200
