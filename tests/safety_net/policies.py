"""Random policies whose rules may name an add-on of the catalogue, from a seeded generator."""

from __future__ import annotations

import random
from typing import Any


def _rule(rng: random.Random) -> dict[str, Any]:
    match: dict[str, Any] = {}
    for key, choices in {
        "kinds": (["DaemonSet"], ["Deployment"], ["Deployment", "DaemonSet"]),
        "namespaces": (["kube-*"], ["kube-system"], ["team-a", "c?lium"], ["*"]),
        "names": (["cal*"], ["*-node", "cilium"], ["calico.node"], ["terway*"], ["a.b", "x-*", "calico-nod?"]),
        "images": (["*/calico/node:*"], ["r.example:5000/*"], ["i"], ["*-*"]),
        "labels": (
            {"team": "net"}, {"matchLabels": {"team": "net", "tier": "node"}},
            {"matchExpressions": [{"key": "team", "operator": "In", "values": ["net", "x"]}]},
            {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["net"]}]},
            {"matchExpressions": [{"key": "tier", "operator": "Exists"}]},
            {"matchLabels": {"team": "net"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
        ),
    }.items():  # fmt: skip
        if rng.random() < 0.35:
            match[key] = rng.choice(choices)
    rule = {"match": match, "placement": rng.choice(("on-prem", "cloud", "any"))}
    return rule | rng.choice(({}, {}, {"action": "warn"}, {"action": "deny"}))


def generated(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Return parts of policies, as they are written."""
    return [
        {
            "rules": [{**_rule(rng), "name": f"r{n}"} for n in range(rng.randint(0, 4))],
            "defaults": {"action": rng.choice(("inject", "inject", "deny", "warn"))},
            "overrides": {"namespaces": rng.choice(([], ["kube-*"], ["cilium"]))},
        }
        for _ in range(count)
    ]
