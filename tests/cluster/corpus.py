"""The real DaemonSets, and where each must land: read from the reference material."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

import yaml

from tests.conftest import shared_path

GONE = "extensions/v1beta1"


@dataclass(frozen=True, slots=True)
class RealDaemonSet:
    """One DaemonSet of the corpus: its file, the object, and the placement in each network."""

    file: str
    object: dict[str, Any]
    placements: dict[str, str]

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        metadata = self.object["metadata"]
        return metadata.get("namespace", "default"), metadata["name"]


def daemonsets() -> list[RealDaemonSet]:
    """Return every DaemonSet that EXPECT.tsv names."""
    folder = shared_path("corpus", "cni")
    found = []
    with (folder / "EXPECT.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            namespace, name = row["daemonset"].split("/")
            documents = yaml.load_all((folder / row["file"]).read_text(), yaml.CSafeLoader)
            for document in documents:
                if _is(document, namespace, name):
                    placements = {n: row[n] for n in ("overlay", "bgp", "host")}
                    found.append(RealDaemonSet(row["file"], document, placements))
    return found


def converted(obj: dict[str, Any]) -> dict[str, Any]:
    """Return a DaemonSet of an API that is gone as apps/v1 has it."""
    spec = obj["spec"]
    labels = spec["template"]["metadata"]["labels"]
    selector = spec.get("selector") or {"matchLabels": labels}
    return {**obj, "apiVersion": "apps/v1", "spec": {**spec, "selector": selector}}


def _is(document: Any, namespace: str, name: str) -> bool:
    if not isinstance(document, dict) or document.get("kind") != "DaemonSet":
        return False
    metadata = document["metadata"]
    return (metadata.get("namespace", "default"), metadata["name"]) == (namespace, name)
