"""What is put into the chart's values comes out as the same text, whatever YAML makes of it.

One plain word is rendered in every place that takes it; with the odd word instead, the documents
must be the same but for that word. Where the schema refuses the odd word, it names the value.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.cluster.chart import CHART, PEM, rendered
from tests.cluster.conftest import require_programs
from tests.cluster.controlplane.plane import ControlPlane

PLAIN = "plain"
WORDS = (
    "true", "null", "~", "123", "1e3", "0x1F", "0o17", "1_000", "1.5", ".inf", "12:30:45", "yes", "off", "n",
    "2026-01-01", "=", "<<", ": x", "- x", "#x", " #x", "a: b", "a #b", "&a", "*", "!a", "%a", "@a", "`a", "{{", "{{ .Values }}",
    "}", "[", "]", ",", '"', "'", "\\", "\n", "a\nb", "\t", " ", "x ", "|", ">", "?", "--- ", "...",
)  # fmt: skip
Path = tuple[str | int, ...]
_RULE: Path = ("policy", "rules", 0)
_TEMPLATE: Path = ("policy", "templates", 0)
# Every value that is a text, or may hold one; `KEY` stands for the key of a mapping.
KEY = "the key"
PLACES: tuple[Path, ...] = (
    ("network",), ("cloudNodes", "key"), ("cloudNodes", "values", 0),
    ("policy", "defaults", "action"),
    (*_RULE, "name"), (*_RULE, "placement"), (*_RULE, "match", "kinds", 0), (*_RULE, "match", "namespaces", 0),
    (*_RULE, "match", "names", 0), (*_RULE, "match", "images", 0), (*_RULE, "match", "labels", "team"),
    (*_RULE, "match", "labels", KEY),
    *((*_TEMPLATE, field) for field in ("apiGroup", "resource", "kind", "path")), (*_TEMPLATE, "apiVersions", 0),
    ("policy", "overrides", "label"), ("policy", "overrides", "namespaces", 0),
    *(("policy", "eniConfig", field) for field in ("namespace", "name", "credentials")),
    ("policy", "eniConfig", "installers", 0),
    *(("image", field) for field in ("repository", "tag", "digest", "pullPolicy")), ("image", "pullSecrets", 0, "name"),
    ("server", "podLabels", "a"), ("server", "podLabels", KEY), ("server", "podAnnotations", "a"),
    ("server", "podAnnotations", KEY), *(("server", "clientCA", field) for field in ("configMap", "key", "mode")),
    *(("certificates", field) for field in ("mode", "secretName", "clusterDomain")),
    *(("certificates", "issuerRef", field) for field in ("name", "kind", "group")),
    *(("monitoring", kind, "labels", part) for kind in ("serviceMonitor", "prometheusRule") for part in ("a", KEY)),
    ("monitoring", "serviceMonitor", "interval"),
)  # fmt: skip
BASE: dict[str, Any] = {
    "network": "bgp",
    "cloudNodes": {"values": ["a"]},
    "safetyNet": {"enabled": False},
    "policy": {
        "rules": [{"name": "r", "placement": "on-prem", "match": {"kinds": ["Deployment"], "namespaces": ["a"], "names": ["a"], "images": ["a"], "labels": {"team": "a"}}}],
        "templates": [{"apiGroup": "a.b", "apiVersions": ["v1"], "resource": "as", "kind": "A", "path": "/spec"}],
        "overrides": {"namespaces": ["b"]},
        "eniConfig": {"installers": ["a"]},
    },
    "image": {"pullSecrets": [{"name": "a"}]},
    "server": {"podLabels": {"a": "b"}, "podAnnotations": {"a": "b"}, "clientCA": {"configMap": "a"}},
    "certificates": {"secretName": "a", "caBundle": PEM, "issuerRef": {"name": "a", "kind": "Issuer", "group": "a"}},
    "monitoring": {kind: {"enabled": True, "labels": {"a": "b"}} for kind in ("serviceMonitor", "prometheusRule")},
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_programs()


def values(word: str, places: tuple[Path, ...], mode: str = "builtin") -> dict[str, Any]:
    """Return values with a word in each of the places."""
    built = copy.deepcopy(BASE)
    built["certificates"]["mode"] = mode
    for place in places:
        target: Any = built
        for step in place[:-1]:
            target = target.setdefault(step, {}) if isinstance(step, str) else target[step]
        target[word if place[-1] == KEY else place[-1]] = "k" if place[-1] == KEY else word
    return built


@cache
def refused(word: str) -> set[Path]:
    """Return the places where the schema refuses a word, as Helm names them all at once."""
    with pytest.raises(ValueError, match="values don't meet the specifications") as raised:
        rendered(values(word, PLACES))  # at least `network` is refused
    named = set(re.findall(r"at '([^']*)'", str(raised.value)))
    return {place for place in PLACES if "/" + "/".join(map(str, pointed(place))) in named}


def pointed(place: Path) -> Path:
    return place[:-1] if place[-1] == KEY else place


def documents(text: str) -> Iterator[Any]:
    """Yield what was rendered, the policy in its ConfigMap read as well."""
    for document in yaml.safe_load_all(text):
        for key in (document or {}).get("data") or {}:
            document["data"][key] = yaml.safe_load(document["data"][key])
        yield document


def replaced(value: Any, word: str) -> Any:
    """Return a value with the odd word for each plain one."""
    if isinstance(value, dict):
        return {replaced(key, word): replaced(inner, word) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, word) for inner in value]
    return value.replace(PLAIN, word) if isinstance(value, str) else value


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_a_text_that_yaml_reads_as_something_else_stays_a_text_or_is_refused(word: str) -> None:
    not_taken = refused(word) | refused(PLAIN)
    globs = {p for p in PLACES if word in "*?" and "namespaces" in p}  # these open the hooks' scope
    places = tuple(place for place in PLACES if place not in not_taken | globs)

    for mode in ("builtin", "cert-manager", "provided"):
        plain = list(documents(rendered(values(PLAIN, places, mode))))
        odd = list(documents(rendered(values(word, places, mode))))
        assert odd == [replaced(document, word) for document in plain]
    assert ("server", "podAnnotations", "a") in places, "takes any text"


def test_places_are_all_the_texts_of_the_values() -> None:
    given = yaml.safe_load((CHART / "values.yaml").read_text())

    def texts(value: Any, path: Path = ()) -> Iterator[Path]:
        for key, inner in value.items():
            if isinstance(inner, dict):
                yield from texts(inner, (*path, key))
            elif isinstance(inner, str | list):
                yield (*path, key)

    left_out = {
        ("certificates", "caBundle"),  # PEM, in base64
        *(("server", "resources", kind, what) for kind in ("requests", "limits") for what in ("cpu", "memory")),
        *(("rotator", "resources", kind, what) for kind in ("requests", "limits") for what in ("cpu", "memory")),
        *(("policy", "defaults", key) for key in ("conflicts", "onUpdate")),  # words, as action is
    }  # fmt: skip
    for path in texts(given):
        assert path in left_out or any(place[: len(path)] == path for place in PLACES), path


@pytest.mark.parametrize("release", ["123", "1e3", "true", "null", "0x1f", "y", "2026-01-01"])
def test_a_releases_name_stays_a_text(release: str) -> None:
    plain = list(documents(rendered(BASE, release=PLAIN)))

    assert list(documents(rendered(BASE, release=release))) == [
        replaced(document, release) for document in plain
    ]


@pytest.mark.parametrize("number", [1, 1.0, 16777217, 1000000, 2147483647])
def test_a_number_stays_what_it_is(number: float) -> None:
    found = list(documents(rendered({**BASE, "server": {"replicas": number}})))
    (replicas,) = (
        o["spec"]["replicas"]
        for o in found
        if o and o["kind"] == "Deployment" and o["metadata"]["name"] == "hybrid-guard"
    )

    assert (replicas, type(replicas)) == (int(number), int)


@pytest.mark.parametrize("word", ["true", "123", "1e3"])
def test_the_api_server_takes_what_is_rendered(api_server: ControlPlane, word: str) -> None:
    places = tuple(p for p in PLACES if p not in refused(word) and p[-1] != "namespace")
    found = [
        o
        for o in yaml.safe_load_all(rendered(values(word, places), release=word))
        if o and not o["apiVersion"].startswith("monitoring.")
    ]

    done = api_server.apply(found, "--server-side", "--dry-run=server", "--validate=strict", check=False)  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(found)
    assert json.dumps(word) in json.dumps(found)
