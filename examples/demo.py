"""The main job, on real manifests: what the webhook answers to writes as the API server sends them.

Starts the real server, plays each example against it, prints the verdict with its patch or
message, and exits 0 only if every verdict was right. With files as arguments it shows the
verdicts on those instead, by the catalogue alone in network bgp, and exits 0 whatever they are.
"""

from __future__ import annotations

import copy
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonpatch

from tests.reviews import patch_of, review
from tests.serving import Server
from webhook.cli import objects
from webhook.files import manifests
from webhook.files.errors import FileError

HERE = Path(__file__).resolve().parent
POLICY = str(HERE / "policy.yaml")
_CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True)
class Case:
    """One write: what is written, how, and what must come of it (`verdict`, rule id)."""

    what: str
    hook: str
    review: dict[str, Any]
    verdict: str
    rule: str = ""


def load(name: str) -> dict[str, dict[str, Any]]:
    """Return the objects of an example by name."""
    text = manifests.read_text(str(HERE / name))
    return {m.object["metadata"]["name"]: m.object for m in manifests.parse(text, name)}


def cases_bgp() -> list[Case]:
    """Return what is played where the on-prem nodes run a BGP network."""
    calico = load("calico-bgp.yaml")["calico-node"]
    cilium = load("cilium.yaml")
    terway = load("terway-eniip.yaml")["terway-eniip"]
    workloads = load("workloads.yaml")
    pinned = pin(calico, "NotIn")
    return [
        Case("Calico is created", "mutate", review(calico), "patched", "HG101"),
        Case("... and applied again", "mutate", review(pinned, "UPDATE", pinned), "allowed"),
        Case(
            "an operator writes it without the term", "mutate",
            review(calico, "UPDATE", pinned, user="system:serviceaccount:tigera-operator:tigera"),
            "patched", "HG101",
        ),
        Case("Calico as stored unpinned", "validate", review(calico), "denied", "HG101"),
        Case("Cilium's agent", "mutate", review(cilium["cilium"]), "patched", "HG101"),
        Case("... its envoy", "mutate", review(cilium["cilium-envoy"]), "patched", "HG101"),
        Case("Terway from its own chart", "mutate", review(terway), "patched", "HG102"),
        Case(
            "Terway as ACK installs it", "mutate",
            review(load("terway-ack.yaml")["terway-eniip"]), "allowed",
        ),
        Case("a workload of ours", "mutate", review(workloads["ledger"]), "patched", "HG101"),
        Case(
            "a workload that contradicts the policy", "mutate",
            review(workloads["ledger-export"]), "denied", "HG103",
        ),
        Case(
            "eni-config without credentials", "validate",
            review(load("eni-config.yaml")["eni-config"]), "denied", "ENI020",
        ),
        Case(
            "eni-config with a number in quotes", "validate",
            review(mistyped(load("eni-config.yaml")["eni-config"])), "denied", "ENI010",
        ),
    ]  # fmt: skip


def cases_overlay() -> list[Case]:
    """Return what is played where the on-prem network is an overlay that cloud nodes may join."""
    flannel = load("flannel-vxlan.yaml")["kube-flannel-ds"]
    terway = load("terway-eniip.yaml")["terway-eniip"]
    return [
        Case("Flannel over VXLAN", "mutate", review(flannel), "allowed"),
        Case("Cilium over VXLAN", "mutate", review(load("cilium.yaml")["cilium"]), "allowed"),
        Case("Terway", "mutate", review(terway), "patched", "HG102"),
    ]


def mistyped(config_map: dict[str, Any]) -> dict[str, Any]:
    """Return eni-config with a pair filled in and one number in quotes."""
    text = config_map["data"]["eni_conf"]
    for old, new in (
        ('"max_pool_size": 5', '"max_pool_size": "5"'),
        ('"access_key": ""', '"access_key": "LTAI5tExampleOfAnId00001"'),
        ('"access_secret": ""', '"access_secret": "Example0Of1A2Secret3With4Thirt"'),
    ):
        text = text.replace(old, new)
    return {**config_map, "data": {**config_map["data"], "eni_conf": text}}


def pin(obj: dict[str, Any], operator: str) -> dict[str, Any]:
    """Return an object without affinity as it looks once it is pinned."""
    pinned = copy.deepcopy(obj)
    term = {"key": "alibabacloud.com/external", "operator": operator, "values": ["true"]}
    pinned["spec"]["template"]["spec"]["affinity"] = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [term]}]
            }
        }
    }
    return pinned


def verdict_of(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """Return what an answer says in one word, and its lines."""
    response = answer["response"]
    if not response["allowed"]:
        return "denied", response["status"]["message"].splitlines()
    lines = list(response.get("warnings", []))
    for op in patch_of(answer):
        lines.append(f"+ {op['path']}")
        lines.append(f"    {json.dumps(op['value'])}")
    return ("patched" if "patch" in response else "allowed"), lines


def is_right(case: Case, answer: dict[str, Any]) -> bool:
    """Tell whether an answer is the one the case expects, and its patch applies and pins."""
    verdict, lines = verdict_of(answer)
    if verdict != case.verdict or not (lines[0] if lines else "").startswith(case.rule):
        return False
    if verdict == "patched":
        stored = jsonpatch.apply_patch(case.review["request"]["object"], patch_of(answer))
        wanted = "NotIn" if case.rule == "HG101" else "In"
        terms = stored["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        expression = {"key": "alibabacloud.com/external", "operator": wanted, "values": ["true"]}
        return all(expression in term["matchExpressions"] for term in terms)
    return True


def play(title: str, cases: list[Case], *arguments: str) -> int:
    """Play cases against a server, print them, and return how many went wrong."""
    print(f"\n{paint(title, '1')}")
    wrong = 0
    with Server(*arguments) as server:
        for case in cases:
            answer = server.review(f"/{case.hook}", case.review).json()
            right = is_right(case, answer)
            wrong += not right
            show("right" if right else "WRONG", case.what, case.review, answer)
    return wrong


def show(mark: str, what: str, sent: dict[str, Any], answer: dict[str, Any]) -> str:
    """Print one verdict and return it: the object, and below it each line of the answer."""
    request = sent["request"]
    verdict, lines = verdict_of(answer)
    name = f"{request['kind']['kind']}/{request['namespace']}/{request['name']}"
    colour = {"right": "32", "WRONG": "31"}.get(mark, "36")
    print(f"  {paint(mark, colour)}  {verdict:8} {name}  {what}")
    for line in lines:
        print(f"           {line}")
    return verdict


def paint(text: str, colour: str) -> str:
    """Colour a text on a terminal."""
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() else text


def show_files(files: list[str]) -> int:
    """Show the verdicts on anyone's manifests, by the catalogue alone in a BGP network."""
    try:
        found = [m for f in objects.expand(tuple(files))
                 for m in manifests.parse(manifests.read_text(f), f)]  # fmt: skip
    except FileError as error:
        print(error, file=sys.stderr)
        return 3 if error.unreadable else 2
    print(f"\n{paint('Network bgp, the catalogue alone', '1')}")
    verdicts = Counter[str]()
    with Server("--network", "bgp") as server:
        for manifest in found:
            if "metadata" in manifest.object:
                hook = "validate" if manifest.object["kind"] == _CONFIG_MAP else "mutate"
                sent = review(manifest.object)
                answer = server.review(f"/{hook}", sent)
                verdicts[show("seen", manifest.file, sent, answer.json())] += 1
    counts = ", ".join(f"{verdicts[word]} {word}" for word in ("allowed", "patched", "denied"))
    print(f"\n{counts}, {verdicts.total()} in all.")
    return 0


def main(files: list[str]) -> int:
    """Play the examples, or show the verdicts on files."""
    if files:
        return show_files(files)
    bgp, overlay = cases_bgp(), cases_overlay()
    wrong = play("Network bgp, with examples/policy.yaml", bgp, "--policy", POLICY)
    wrong += play("Network overlay, the catalogue alone", overlay, "--network", "overlay")
    total = len(bgp) + len(overlay)
    print(f"\n{total - wrong} of {total} verdicts were right.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
