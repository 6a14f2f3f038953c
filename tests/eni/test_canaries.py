"""Credentials at every place a person may put them, in sound and broken documents: none leaves.

The real server answers over TLS; its answers, log and metrics, and the reports of the same
documents as files, are searched for any six characters of any credential in them.
"""

# ruff: noqa: ARG001, ARG005  # every place is called with both
from __future__ import annotations

import functools
import json
import random
import string
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.audit.rendering import output
from tests.conftest import ROOT, SEED, scaled
from tests.eni.samples import CNI, SOUND
from tests.reviews import review
from tests.serving import Server
from webhook.audit import inspect, text
from webhook.audit.formats import FORMATS
from webhook.audit.report import Report
from webhook.files import manifests
from webhook.policy import parse
from webhook.policy.words import Network

DOCUMENTS = scaled(9_600)
TOGETHER = 12
"""Documents in one report: rendering each format costs more than a document in it."""
PIECE = 6
HEX = frozenset("0123456789abcdef")
TEXTS = (".py", ".html", ".css", ".js")
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ALNUM = string.ascii_letters + string.digits
NOISE = [
    '"',
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "“",
    "{{",
    "//",
    "\\u12",
    "\x00",
    " ",
    "\ufeff",
    "#",
]
Place = Callable[[dict[str, Any], str, str], None]


def field(name: str) -> Place:
    def put(data: dict[str, Any], key: str, secret: str) -> None:
        data["conf"][name] = secret

    return put


def pair(first: str, second: str) -> Place:
    def put(data: dict[str, Any], key: str, secret: str) -> None:
        data["conf"] |= {first: key, second: secret}

    return put


def under(name: str, make: Callable[[str, str], Any]) -> Place:
    def put(data: dict[str, Any], key: str, secret: str) -> None:
        data["conf"][name] = make(key, secret)

    return put


def cni(name: str, make: Callable[[str, str], Any]) -> Place:
    def put(data: dict[str, Any], key: str, secret: str) -> None:
        data["cni"][name] = make(key, secret)

    return put


def outer(name: str) -> Place:
    def put(data: dict[str, Any], key: str, secret: str) -> None:
        data["data"][name] = secret

    return put


def named_by_it(data: dict[str, Any], key: str, secret: str) -> None:
    data["data"][secret] = key


PLACES: list[Place] = [
    pair("access_key", "access_secret"), pair("access_secret", "access_key"), pair("Access_Key", "Access_Secret"),
    pair("access_key_id", "access_key_secret"), pair("ak", "sk"), pair("accessKey", "accessSecret"), pair("AK", "SK"),
    *(field(name) for name in (
        "ip_stack", "ipam_type", "security_group", "service_cidr", "vswitch_selection_policy", "eni_selection_policy",
        "idle_ip_reclaim_after", "idle_ip_reclaim_jitter_factor", "ip_pool_sync_period", "credential_path", "region_id",
        "max_pool_size", "enable_erdma", "kube_client_qps", "vswitches", "security_groups", "rate_limit", "secret", "token",
    )),
    under("vswitches", lambda k, s: {k: [s]}), under("vswitches", lambda k, s: {"cn-hangzhou-g": ["vsw-" + s, s.lower()]}),
    under("security_groups", lambda k, s: [k, s, "sg-" + s]), under("rate_limit", lambda k, s: {s: 0, k: "x"}),
    under("backoff_override", lambda k, s: {s: {k: 1, "Duration": s}}), under("eni_tags", lambda k, s: {k: s, "acs:" + s: "1"}),
    under("eni_tag_block_list", lambda k, s: [{"key": k, "value": s}]), under("service_cidr", lambda k, s: f"10.0.0.1/8, {s}"),
    under("access_key", lambda k, s: k + "\n"), under("access_secret", lambda k, s: [s]), under("access_secret", lambda k, s: {s: k}),
    under("access_key", lambda k, s: "STS." + k), under("access_secret", lambda k, s: s[:9] + "\u200b" + s[9:]),
    under("credentials", lambda k, s: {"access_key": k, "access_secret": s}), under("ip_stack", lambda k, s: s[:14]),
    cni("type", lambda k, s: s), cni("eniip_virtual_type", lambda k, s: s), cni("network_policy_provider", lambda k, s: k),
    cni("host_stack_cidrs", lambda k, s: [s, k + "/32"]), cni("access_secret", lambda k, s: s), cni(
        "symmetric_routing_config", lambda k, s: {"backend": s}), cni("cniVersion", lambda k, s: s), cni("capabilities", lambda k, s: {s: k}),
    outer("disable_network_policy"), outer("in_cluster_loadbalance"), outer("access_key"), outer("access_secret"), outer("eni-conf"),
    outer("10-terway.conflist"), named_by_it,
]  # fmt: skip


@functools.cache
def own_pieces() -> set[str]:
    """The pieces of all that reports say by themselves: a canary must not look like it."""
    told = [
        path.read_text("utf-8") for path in (ROOT / "webhook").rglob("*") if path.suffix in TEXTS
    ]
    for form in FORMATS.values():
        form.render((), Report(), output(told))
    return pieces("".join(told).lower())


def pieces(text: str) -> set[str]:
    """All runs of PIECE characters: one look at the text, however many words are asked for."""
    return {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}


def canary(rng: random.Random, prefix: str, length: int) -> str:
    """A credential no piece of which is a word of ours, or could be one of a fingerprint."""
    while True:
        word = prefix + "".join(rng.choices(ALNUM, k=length))
        found = pieces_of([word])
        is_hex = any(set(piece) <= HEX for piece in found)
        if not is_hex and found.isdisjoint(own_pieces()):
            return word


def config_map(rng: random.Random, number: int) -> tuple[dict[str, Any], list[str]]:
    """One document, and the credentials in it."""
    key, secret = canary(rng, "LTAI", 20), canary(rng, "", 30)
    parts: dict[str, Any] = {"conf": dict(SOUND), "cni": json.loads(CNI), "data": {}}
    if rng.random() < 0.5:
        parts["conf"] |= {"access_key": key, "access_secret": secret}
    else:
        del parts["conf"]["access_key"], parts["conf"]["access_secret"]
    for place in {PLACES[number % len(PLACES)], rng.choice(PLACES)}:
        place(parts, key, secret)
    eni_conf = json.dumps(parts["conf"], indent=rng.choice((None, 1, 2)))
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(len(eni_conf) + 1)
        eni_conf = eni_conf[:at] + rng.choice(NOISE) + eni_conf[at + rng.randint(0, 2) :]
    if rng.random() < 0.1:
        eni_conf = eni_conf[: rng.randrange(len(eni_conf))] + eni_conf
    data = {"eni_conf": eni_conf, "10-terway.conf": json.dumps(parts["cni"]), **parts["data"]}
    name = "eni-config" if rng.random() < 0.8 else "pool-a"
    metadata: dict[str, Any] = {"name": name, "namespace": "kube-system"}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    if rng.random() < 0.3:
        metadata["annotations"] = {APPLIED: json.dumps(obj)}
    if rng.random() < 0.1:
        obj["binaryData"] = {"eni_conf": secret}
    return obj, [key, secret, SOUND["access_key"], SOUND["access_secret"]]


def leaks(told: str, words: list[str]) -> set[str]:
    """The pieces of the words that stand in what was told, in any case of letters."""
    return pieces_of(words) & pieces(told.lower())


def pieces_of(words: list[str]) -> set[str]:
    """The pieces of the words behind what every key begins with, in small letters."""
    return {piece for word in words for piece in pieces(word[4:].lower())}


def reports(written: list[str]) -> str:
    """What audits and explain print of the documents as files."""
    report = Report()
    by = parse.for_network(Network.BGP)
    for number, document in enumerate(written):
        for manifest in manifests.parse(document, f"f{number}.yaml"):
            inspect.inspect(manifest.object, by, report, source=manifest, namespace_placements={})
    told: list[str] = []
    for form in (*FORMATS.values(), text):
        form.render((), report, output(told))
    return "".join(told)


@pytest.mark.timeout(1200)  # thousands of calls: a busy machine takes minutes
def test_no_byte_of_a_credential_leaves() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    words: list[str] = []
    written: list[str] = []
    found = {"denied": 0, "warned": 0}
    with Server("--network", "bgp") as server:
        connection = server.connect()
        before: dict[str, Any] | None = None
        for number in range(DOCUMENTS):
            obj, secret = config_map(rng, number)
            operation = rng.choice(("CREATE", "UPDATE", "DELETE") if before else ("CREATE",))
            new = None if operation == "DELETE" else obj
            old = None if operation == "CREATE" else before if operation == "UPDATE" else obj
            if old is not None and operation == "UPDATE":
                old = {**old, "metadata": obj["metadata"]}
            body = json.dumps(review(new, operation, old))
            connection.request("POST", "/validate", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            told = response.read().decode()
            assert response.status == 200
            said = json.loads(told)["response"]
            found["denied"] += not said["allowed"]
            found["warned"] += bool(said.get("warnings"))
            assert leaks(told, [*words[-8:], *secret]) == set(), told
            style = rng.choice((None, '"', "'", "|"))
            written.append(yaml.safe_dump(obj, default_style=style, allow_unicode=True))
            before, words = obj, [*words, *secret]
        connection.close()
        metrics = server.request("GET", "/metrics").body.decode()
        server.stop()
        log = "".join(server.text)
    assert log.count('"event":"decision"') == DOCUMENTS
    assert leaks(log, words) == set()
    assert leaks(metrics, words) == set()
    for at in range(0, DOCUMENTS, TOGETHER):
        batch = written[at : at + TOGETHER]
        shown = reports(batch)
        assert f"f{TOGETHER - 1}.yaml" in shown
        assert leaks(shown, words[4 * at : 4 * (at + TOGETHER)]) == set(), batch
    assert found["denied"] > DOCUMENTS / 2
    assert found["warned"] > DOCUMENTS / 10


def test_a_search_that_finds_nothing_can_find_something() -> None:
    assert leaks("a CanarY in it", ["LTAIcanary"]) == {"canary"}
