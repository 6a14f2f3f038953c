"""Whatever stands in a ConfigMap, the rules answer and never fail, and every report can be written."""

from __future__ import annotations

import json
import random
from typing import Any

import yaml

from tests.audit.rendering import rendered
from tests.conftest import SEED, scaled
from tests.eni.samples import CNI, SOUND, conf
from tests.eni.test_parity import disturbed, value
from tests.eni.test_parity import document as generated
from webhook.audit import inspect
from webhook.audit.formats import FORMATS
from webhook.audit.report import Report
from webhook.eni import document, lint
from webhook.files import manifests
from webhook.files.errors import FileError
from webhook.policy import parse
from webhook.policy.words import Network

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
JUNK: tuple[Any, ...] = (
    None,
    True,
    5,
    1.5,
    "x",
    "",
    [],
    ["a"],
    {},
    {"a": 1},
    "{}",
    "[]",
    "null",
    {"b": None},
)
CNI_KEYS = ("type", "eniip_virtual_type", "capabilities", "host_stack_cidrs", "symmetric_routing_config",
            "symmetric_routing", "mtu", "cniVersion", "network_policy_provider", "plugins")  # fmt: skip


def cni(rng: random.Random) -> str:
    return rng.choice((
        CNI, value(rng), f'{{"type":"terway","{rng.choice(CNI_KEYS)}":{value(rng)}}}',
        f'{{"plugins":[{{"type":{value(rng)}}},{value(rng)}]}}',
    ))  # fmt: skip


def config_map(rng: random.Random) -> dict[str, Any]:
    sound = json.dumps(SOUND)
    data: Any = {
        "eni_conf": disturbed(rng, rng.choice((generated(rng), sound))),
        "10-terway.conf": cni(rng),
    }
    if rng.random() < 0.3:
        data["10-terway.conflist"] = rng.choice((cni(rng), *JUNK))
    for key in ("disable_network_policy", "eni_conf", "10-terway.conf", "zz"):
        if rng.random() < 0.1:
            data[key] = rng.choice((*JUNK, "true", "False"))
    metadata: dict[str, Any] = {
        "name": rng.choice(("eni-config", "pool")),
        "namespace": "kube-system",
    }
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": data,
    }
    for key in ("data", "binaryData", "immutable"):
        if rng.random() < 0.05:
            obj[key] = rng.choice(JUNK)
    if rng.random() < 0.1:
        metadata["annotations"] = rng.choice((*JUNK, {APPLIED: rng.choice(JUNK)}))
    return obj


def test_nothing_in_a_config_map_makes_a_rule_or_a_report_fail() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    by, base = parse.for_network(Network.BGP), document.read({"data": conf()}, "inline")
    for _ in range(scaled(15_000)):
        obj = config_map(rng)
        partial = obj["metadata"]["name"] != "eni-config"
        read = document.read(obj, "inline", partial=partial, before=rng.choice((None, base)))
        lint.lint(lint.around(read, base=base, crds=frozenset(), named={"a": 1}))
        report = Report()
        written = yaml.safe_dump(
            obj, default_style=rng.choice((None, '"', "'", "|", ">")), width=rng.choice((20, 999))
        )
        try:
            for manifest in manifests.parse(written, "f"):
                inspect.inspect(
                    manifest.object, by, report, source=manifest, namespace_placements={}
                )
        except FileError:
            continue  # what Kubernetes would not decode is refused before
        told = {form: rendered(form, (), report) for form in FORMATS}
        json.loads(told["json"])
