"""Which add-on the safety net takes an object for, and where policy wants it: as the server does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.conftest import scaled
from tests.safety_net import policies
from tests.safety_net.oracle import Update, ask, daemonset, document
from webhook import workloads
from webhook.policy import catalogue, parse
from webhook.policy.decide import decide
from webhook.policy.document import PLACEMENT_LABEL, PolicyDocument
from webhook.policy.words import Network, Placement
from webhook.workloads import Workload

ELSEWHERE = (
    "calico-node-x",
    "cilium-",
    "net",
    "kube-flannel-dsx",
    "terway-hybrid-x",
    "submariner-gateway",
)
NAMES = sorted(
    {
        name.replace("*", "x.y")
        for a in catalogue.CATALOGUE
        for name in (*a.daemonsets, *a.companions)
    }
)
IMAGES = sorted({image for addon in catalogue.CATALOGUE for image in addon.images})


def read(obj: dict[str, Any]) -> Workload:
    found = workloads.read(obj)
    assert found is not None
    return found


def side(obj: dict[str, Any]) -> str:
    """Return what the catalogue says of an object, as the policy spells it."""
    found = catalogue.find(read(obj))
    placement = Placement.ANY if found is None else found[0].placement(Network.BGP)
    return "" if placement is Placement.ANY else placement.value


def spelled(image: str, rng: random.Random) -> str:
    """Return an image at some registry, with some tag and digest, or one that only looks so."""
    head = rng.choice(
        ("", "docker.io/", "r.example:5000/mirror/", "r.example:5000/a/b-", "x", "a@b/")
    )
    tail = rng.choice(("", ":v3.1", "@sha256:00", ":v1@sha256:00", "-x", "/x", ":5/x", ":a:b"))
    return f"{head}{image}{tail}"


def test_every_object_is_the_add_on_that_the_catalogue_finds(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # generated cases, nothing secret
    made = [daemonset({}, name, ns) for name in (*NAMES, *ELSEWHERE) for ns in catalogue.NAMESPACES]
    for _ in range(scaled(30_000)):
        images = [spelled(rng.choice((*IMAGES, "x/y")), rng) for _ in range(rng.randint(1, 3))]
        name = rng.choice((*ELSEWHERE, "aws-node")) if rng.random() < 0.9 else rng.choice(NAMES)
        made.append(daemonset({}, name, rng.choice(catalogue.NAMESPACES), images=images))
    changed = [Update(old=obj, new=_changed(obj)) for obj in made]

    answers = ask(document(), changed, each=True)

    found = [side(obj) for obj in made]
    for obj, wanted, answer in zip(made, found, answers, strict=True):
        assert answer.values["known"] == wanted, json.dumps(obj)
    assert min(found.count(each) for each in ("on-prem", "cloud", "")) > 5


def _changed(obj: dict[str, Any]) -> dict[str, Any]:
    """Return the object under a change that makes the policy look, and its images others."""
    metadata = obj["metadata"]
    return daemonset(
        {"nodeSelector": {"a": "b"}}, metadata["name"], metadata["namespace"], images=("other",)
    )


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        (["x"] * 33, "on-prem"),
        (["r.example/" + "a" * 300], "on-prem"),
        (["r.example/" + "a" * 200], ""),
        (["acs/terway", "calico/node"], "on-prem"),
        (["acs/terway"], "cloud"),
    ],
    ids=["many", "long", "long enough", "both", "terway"],
)
def test_images_beyond_any_real_one_count_as_known(images: list[str], wanted: str) -> None:
    old = daemonset({}, "net", images=images)

    (answer,) = ask(document(), [Update(old=old, new=_changed(old))], each=True)

    assert answer.values["known"] == wanted


def _asks(obj: dict[str, Any], policy: PolicyDocument, namespace: Placement | None) -> str:
    """Return the side the server keeps an add-on on: '' for a stranger, any where it only warns."""
    if not side(obj):
        return ""
    written = policy.model_dump(by_alias=True, mode="json")
    decision = decide(read(obj), parse.parse(written), namespace_placement=namespace)
    return "any" if decision.action == "warn" else decision.placement


def test_policy_wants_each_add_on_where_the_server_wants_it(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # generated cases, nothing secret
    seen = set()
    for parts in policies.generated(rng, scaled(200)):
        policy = document(**parts)
        made = []
        for _ in range(60):
            labels = rng.choice(
                ({}, {"team": "net"}, {"tier": "node"}, {"team": "net", "tier": "x"})
            )
            said = rng.choice(
                ({}, {}, {PLACEMENT_LABEL: rng.choice(("any", "cloud", "on-prem", "x"))})
            )
            obj = daemonset(
                {"nodeSelector": {"a": "b"}},
                rng.choice(("calico-node", "cilium", "terway", "other", "calico-node-windows")),
                rng.choice(("kube-system", "cilium")),
                images=(rng.choice(("r.example:5000/calico/node:v3", "i", "a+b")),),
                labels={**labels, **said},
            )
            made.append((obj, rng.choice((None, None, Placement.ON_PREM, Placement.CLOUD))))
        changed = [
            Update(
                old=_without_selector(obj),
                new=obj,
                namespace={PLACEMENT_LABEL: where} if where else {},
            )
            for obj, where in made
        ]

        answers = ask(policy, changed, each=True)

        for (obj, where), answer in zip(made, answers, strict=True):
            wanted = _asks(obj, policy, where)
            assert answer.values["side"] == wanted, json.dumps([parts, obj, where])
            seen.add(wanted)
    assert seen == {"", "any", "cloud", "on-prem"}


def _without_selector(obj: dict[str, Any]) -> dict[str, Any]:
    template = obj["spec"]["template"]
    spec = {key: value for key, value in template["spec"].items() if key != "nodeSelector"}
    return {**obj, "spec": {**obj["spec"], "template": {**template, "spec": spec}}}
