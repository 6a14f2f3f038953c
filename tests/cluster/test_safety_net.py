"""The chart's safety net in the real API server, with nobody behind the hooks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.chart import objects, one, rendered
from tests.cluster.controlplane.client import Answer
from tests.cluster.controlplane.plane import ControlPlane
from tests.safety_net.oracle import daemonset
from tests.safety_net.specs import BARE, PINNED, Spec, expression, term, terms

DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
CLOUD_KEY = "alibabacloud.com/external"
CLOUD = terms(term(expression("In", "true")))


@pytest.fixture
def netted(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """An API server with the safety net alone, in force."""
    net = [o for o in objects("bgp") if o["kind"].startswith("ValidatingAdmissionPolicy")]
    yield from _netted(api_server, net)


def _netted(plane: ControlPlane, net: list[dict[str, Any]]) -> Iterator[ControlPlane]:
    plane.apply(net)
    assert create(plane, daemonset(PINNED["NotIn"], "weave-net")) == 201

    def refuses() -> bool:
        return put(plane, daemonset({}, "weave-net"), dry=True).status == 403

    plane.until(refuses, "the safety net to be in force")
    yield plane
    for obj in net:
        plane.kubectl("delete", obj["kind"], obj["metadata"]["name"])
    plane.until(lambda: not refuses(), "the safety net to be forgotten")
    for item in plane.raw("GET", DAEMONSETS).json()["items"]:
        plane.raw("DELETE", f"{DAEMONSETS}/{item['metadata']['name']}")


def create(plane: ControlPlane, obj: dict[str, Any]) -> int:
    return plane.raw("POST", DAEMONSETS, obj).status


def put(plane: ControlPlane, obj: dict[str, Any], *, dry: bool = False) -> Answer:
    path = f"{DAEMONSETS}/{obj['metadata']['name']}"
    return plane.raw("PUT", f"{path}?dryRun=All" if dry else path, obj)


def test_with_the_guard_down_a_pin_stays_on_a_known_add_on(netted: ControlPlane) -> None:
    def status(spec: Spec, name: str, **metadata: Any) -> int:
        return put(netted, daemonset(spec, name, **metadata)).status

    pinned = PINNED["NotIn"]
    for name in ("calico-node", "calico-windows", "kube-flannel-ds-amd64"):
        assert create(netted, daemonset(pinned, name)) == 201, "a CREATE is free"
    assert create(netted, daemonset(CLOUD, "terway-eniip")) == 201

    refused = put(netted, daemonset({}, "calico-node"))
    assert refused.status == 403
    told = str(refused.json()["message"])
    assert "HG107 this update takes the pin to on-prem nodes off calico-node" in told
    assert status({}, "kube-flannel-ds-amd64") == 403
    assert status({}, "terway-eniip") == 403
    assert status(pinned, "terway-eniip") == 403
    assert status({"nodeSelector": {CLOUD_KEY: "true"}}, "terway-eniip") == 200, "said otherwise"
    assert status({}, "calico-windows") == 200, "not a name of the catalogue"
    assert status(pinned, "calico-node", labels={"a": "b"}) == 200
    netted.kubectl("-n", "kube-system", "annotate", "daemonset", "terway-eniip", "a=b")
    assert create(netted, daemonset({}, "antrea-agent")) == 201
    assert status({}, "antrea-agent", labels={"a": "b"}) == 200, "it never had a pin"
    foreground = {"propagationPolicy": "Foreground"}
    assert netted.raw("DELETE", f"{DAEMONSETS}/terway-eniip", foreground).status == 200


def test_each_spelling_of_a_pin_is_kept_and_may_become_another(netted: ControlPlane) -> None:
    assert create(netted, daemonset(PINNED["NotIn"])) == 201
    for spelling, pinned in PINNED.items():
        stored = put(netted, daemonset(pinned))
        assert stored.status == 200, (spelling, stored.body)
        for name, bare in BARE.items():
            assert put(netted, daemonset(bare), dry=True).status == 403, (spelling, name)
    for old, new in itertools.pairwise([*PINNED, *reversed(PINNED)]):
        assert put(netted, daemonset(PINNED[new])).status == 200, (old, new)


IMAGES = ("registry.example:5000/mirror/calico/node:v3.28.1@sha256:" + "0" * 64,)


def test_an_add_on_that_its_image_tells_keeps_its_pin(netted: ControlPlane) -> None:
    for name in ("net", "kube-proxy"):
        assert create(netted, daemonset(PINNED["DoesNotExist"], name, images=IMAGES)) == 201

    assert put(netted, daemonset({}, "net", images=IMAGES), dry=True).status == 403
    assert put(netted, daemonset({}, "net", images=("other",)), dry=True).status == 403
    assert put(netted, daemonset({}, "kube-proxy", images=IMAGES), dry=True).status == 200


def _pins(count: int, last: dict[str, Any] | None = None) -> Spec:
    pin = term(expression("NotIn", "true"))
    return terms(*[pin] * (count - 1), last or pin)


def _values(count: int, *more: str) -> Spec:
    return terms(term(expression("NotIn", *(f"v{n}" for n in range(count)), *more)))


@pytest.mark.parametrize(
    ("old", "bare"),
    [
        (_pins(count), _pins(count, term(expression("Exists", key="os"))))
        for count in (999, 1_000, 5_000, 20_000)
    ]
    + [
        (_values(100_000, "true"), _values(100_000)),
        (
            {"nodeSelector": {f"k{n}": "v" for n in range(20_000)}, **_pins(1)},
            {"nodeSelector": {f"k{n}": "v" for n in range(20_000)}},
        ),
    ],
    ids=["999", "1000", "5000", "20000", "values", "labels"],
)  # fmt: skip
def test_a_pin_of_any_size_stays_and_never_hinders_other_updates(
    netted: ControlPlane, old: Spec, bare: Spec
) -> None:
    assert create(netted, daemonset(old)) == 201

    assert put(netted, daemonset(old, labels={"a": "b"}), dry=True).status == 200
    assert put(netted, daemonset(old, images=("next",)), dry=True).status == 200
    assert put(netted, daemonset(_pins(1)), dry=True).status == 200
    for spec in (bare, {}):
        refused = put(netted, daemonset(spec), dry=True)
        assert refused.status == 403
        assert re.search(r"denied request: HG10[79] ", refused.json()["message"])


RULES = [
    {"name": "left", "match": {"names": ["cilium*"]}, "placement": "any"},
    {
        "name": "warned",
        "match": {"labels": {"try": "out"}},
        "placement": "on-prem",
        "action": "warn",
    },
]


@pytest.fixture
def ruled(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """An API server with the safety net of a policy that has rules and lets labels decide."""
    policy = {"rules": RULES, "overrides": {"namespaces": ["kube-*"]}}
    text = rendered(
        {"network": "bgp", "policy": policy}, "--show-only", "templates/safety-net.yaml"
    )
    yield from _netted(api_server, list(yaml.safe_load_all(text)))


def test_what_policy_leaves_to_the_user_the_net_leaves_too(ruled: ControlPlane) -> None:
    for name in ("cilium", "calico-node", "canal"):
        assert create(ruled, daemonset(PINNED["NotIn"], name)) == 201

    def status(name: str, **labels: str) -> int:
        found = {key.replace("_", "/"): value for key, value in labels.items()}
        return put(ruled, daemonset({}, name, labels=found), dry=True).status

    assert status("cilium") == 200
    assert status("canal") == 403
    assert status("canal", **{"try": "out"}) == 200
    assert status("canal", **{"hybrid-guard.io_placement": "any"}) == 200
    assert status("canal", **{"hybrid-guard.io_placement": "on-prem"}) == 403


def test_the_api_servers_type_checker_has_nothing_to_say(plane: ControlPlane) -> None:
    policy = one("bgp", "ValidatingAdmissionPolicy", "hybrid-guard-safety-net")
    policy["metadata"]["name"] = "type-checked"
    plane.apply([policy])

    def checked() -> Any:
        status = plane.raw("GET", f"{POLICIES}/type-checked").json().get("status", {})
        return status if "observedGeneration" in status else None

    found = plane.until(checked, "the types to be checked")
    plane.kubectl("delete", "validatingadmissionpolicy", "type-checked")

    assert found["typeChecking"] == {}
