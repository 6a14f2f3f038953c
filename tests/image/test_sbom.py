"""The SBOM: valid, and neither short of what is in the image nor ahead of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from tests.conftest import ROOT
from tests.image import bases, sbom
from tests.image.build import Image


@pytest.fixture(scope="module")
def document(image: Image) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(image.sbom.read_text("utf-8"))
    return parsed


def purls(document: dict[str, Any], kind: str) -> dict[str, str]:
    """Return the components of a kind, name to version."""
    parts = [*document["components"], document["metadata"]["component"]]
    return {
        part["name"]: part["version"] for part in parts if part["purl"].startswith(f"pkg:{kind}/")
    }


def test_it_is_valid(image: Image) -> None:
    text = image.sbom.read_text("utf-8")

    assert JsonStrictValidator(sbom.SCHEMA).validate_str(text) is None
    assert (
        JsonStrictValidator(sbom.SCHEMA).validate_str(text.replace('"type"', '"kind"')) is not None
    )


def test_its_python_distributions_are_those_of_the_image(
    image: Image, document: dict[str, Any]
) -> None:
    folders = image.rootfs.glob("opt/hybrid-guard/lib/python3.*/site-packages/*.dist-info")
    there = {tuple(folder.name.removesuffix(".dist-info").lower().split("-")) for folder in folders}

    assert {
        (re.sub(r"[-_.]+", "_", name.lower()), version)
        for name, version in purls(document, "pypi").items()
    } == there


def test_its_python_distributions_are_the_locked_ones_and_ours(document: dict[str, Any]) -> None:
    lock = (ROOT / "requirements/run.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))
    told = {
        re.sub(r"[-_.]+", "-", name.lower()): version
        for name, version in purls(document, "pypi").items()
    }

    assert document["metadata"]["component"]["name"] == "hybrid-guard"
    assert told.pop("hybrid-guard") == "0.1.0"
    assert told == locked


def test_its_debian_packages_are_those_of_the_list(image: Image, document: dict[str, Any]) -> None:
    told = purls(document, "deb")

    assert sorted(told) == sorted(bases.PACKAGES)
    for name in told:
        assert (image.rootfs / "usr/share/doc" / name).exists(), name


def test_it_tells_who_needs_whom(document: dict[str, Any]) -> None:
    needs = {entry["ref"]: set(entry.get("dependsOn", [])) for entry in document["dependencies"]}

    assert {"pypi:flask", "deb:python3.13-minimal"} <= needs["pypi:hybrid-guard"]
    assert "pypi:werkzeug" in needs["pypi:flask"]
    assert "deb:libc6" in needs["deb:zlib1g"]
    assert "pypi:werkzeug" not in needs["pypi:hybrid-guard"]
