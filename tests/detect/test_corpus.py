"""Every real DaemonSet has the mode that the reference collection expects."""

from __future__ import annotations

import csv
import random
from typing import Any

import pytest
import yaml

from tests.conftest import shared_path
from tests.detect.objects import placed
from webhook.detect import Detection, Survey
from webhook.files import manifests


def expected() -> dict[str, dict[str, tuple[str, str]]]:
    """Return add-on and mode of each DaemonSet, by file."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with shared_path("corpus", "cni", "EXPECT.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            found.setdefault(row["file"], {})[row["daemonset"]] = (row["addon"], row["mode"])
    return found


def objects(file: str) -> list[dict[str, Any]]:
    path = shared_path("corpus", "cni", file)
    return [m.object for m in manifests.parse(path.read_text(), file)]


def modes(found: Detection) -> dict[str, tuple[str, str]]:
    return {
        f"{one.ref.namespace}/{one.ref.name}": (one.addon, one.reading.mode.value)
        for one in found.daemonsets
    }


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[dict[str, Any]]]:
    return {file: objects(file) for file in expected()}


def test_each_file_by_itself(corpus: dict[str, list[dict[str, Any]]]) -> None:
    for file, wanted in expected().items():
        survey = Survey()
        for obj in corpus[file]:
            survey.add(obj, placed(file))

        assert modes(survey.detection()) == wanted, file


def test_all_files_at_once_do_not_mix(corpus: dict[str, list[dict[str, Any]]]) -> None:
    survey = Survey()
    for file, found in corpus.items():
        for obj in found:
            survey.add(obj, placed(file))
    detection = survey.detection()

    told = {
        (one.location.file, f"{one.ref.namespace}/{one.ref.name}"): one.reading.mode.value
        for one in detection.daemonsets
    }
    assert told == {(f, d): m for f, rows in expected().items() for d, (_, m) in rows.items()}
    assert detection.network is None
    assert "data paths" in detection.evidence[0]


def noisy(obj: Any, rng: random.Random) -> Any:
    """Return an object with other keys beside each of its own, and all in another order."""
    if isinstance(obj, list):
        return [noisy(item, rng) for item in obj]
    if not isinstance(obj, dict):
        return obj
    pairs = [(key, noisy(value, rng)) for key, value in obj.items()]
    if "apiVersion" in obj or "spec" in obj:
        pairs.append(("x-unknown", {"tunnel": "disabled", "env": [1]}))
    rng.shuffle(pairs)
    return dict(pairs)


def test_what_does_not_matter_does_not_matter(
    corpus: dict[str, list[dict[str, Any]]], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # an order, not a secret
    for file, wanted in expected().items():
        survey = Survey()
        shuffled = rng.sample(corpus[file], len(corpus[file]))
        for obj in [noisy(one, rng) for one in shuffled]:
            survey.add(obj, placed(file))

        assert modes(survey.detection()) == wanted, file


def test_neither_do_comments_and_the_way_it_is_written(
    corpus: dict[str, list[dict[str, Any]]],
) -> None:
    for file, wanted in expected().items():
        text = "# tunnel: disabled\n" + yaml.safe_dump_all(
            corpus[file], default_flow_style=True, width=10_000
        )
        survey = Survey()
        for manifest in manifests.parse(text.replace("\n---\n", "\n--- # CALICO\n"), file):
            survey.add(manifest.object, placed(file))

        assert modes(survey.detection()) == wanted, file


def test_renamed_copies_are_known(corpus: dict[str, list[dict[str, Any]]]) -> None:
    """As kustomize renames them: a prefix for all, and ConfigMaps with a hash behind."""
    for file, wanted in expected().items():
        text = yaml.safe_dump_all(corpus[file])
        for name in ("kube-flannel-cfg", "cilium-config", "canal-config", "calico-config"):
            text = text.replace(f"name: {name}\n", f"name: prod-{name}-7h2m9\n")
        survey = Survey()
        for manifest in manifests.parse(text, file):
            if manifest.object["kind"] == "DaemonSet":
                manifest.object["metadata"]["name"] = f"prod-{manifest.object['metadata']['name']}"
            survey.add(manifest.object, placed(file))

        found = [one.reading.mode.value for one in survey.detection().daemonsets]
        told = [mode for mode in found if mode not in ("none", "unknown")]
        assert told == [mode for _, mode in wanted.values() if mode != "none"], file
