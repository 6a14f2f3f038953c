"""What is in the image, as CycloneDX JSON: Python distributions, Debian packages, who needs whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.image import bases

SCHEMA = SchemaVersion.V1_6
PRODUCT = "pypi:hybrid-guard"
INTERPRETER = {f"deb:python{bases.PYTHON}-minimal", f"deb:libpython{bases.PYTHON}-stdlib"}


@dataclass(frozen=True, slots=True)
class Part:
    """A component and the references of those it may need, which need not all be there."""

    component: Component
    needs: set[str]


def write(rootfs: Path, target: Path) -> None:
    """Write the document for an unpacked root file system."""
    target.write_text(document(rootfs), "utf-8")


def document(rootfs: Path) -> str:
    """Return the document: the product is its subject, all else its components."""
    parts = [*distributions(rootfs), *debian_packages(rootfs)]
    known = {str(part.component.bom_ref): part.component for part in parts}
    bom = Bom(components=[known[ref] for ref in known if ref != PRODUCT])
    bom.metadata.component = known[PRODUCT]
    for part in parts:
        bom.register_dependency(part.component, [known[ref] for ref in part.needs & known.keys()])
    return make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=1)


def distributions(rootfs: Path) -> Iterator[Part]:
    """Yield the Python distributions, as their own metadata names them."""
    folders = [str(path) for path in rootfs.glob("opt/*/lib/python3.*/site-packages")]
    for found in metadata.distributions(path=folders):
        name = canonicalize_name(found.name)
        reference = f"pypi:{name}"
        component = Component(
            name=found.name,
            version=found.version,
            type=ComponentType.APPLICATION if reference == PRODUCT else ComponentType.LIBRARY,
            bom_ref=reference,
            purl=PackageURL("pypi", None, name, found.version),
            licenses=[LicenseFactory().make_from_string(text) for text in licences(found)],
        )
        yield Part(component, required(found) | (INTERPRETER if reference == PRODUCT else set()))


def licences(found: metadata.Distribution) -> list[str]:
    """Return the one licence a distribution tells in a line; [] where it tells none so."""
    fields = found.metadata
    told = [fields[key] for key in ("License-Expression", "License") if key in fields]
    return [text for text in told[:1] if "\n" not in text]


def required(found: metadata.Distribution) -> set[str]:
    """Return the references of what a distribution requires on the image's Python."""
    requirements = [Requirement(text) for text in found.requires or []]
    environment = {"python_version": bases.PYTHON, "extra": ""}
    return {
        f"pypi:{canonicalize_name(each.name)}"
        for each in requirements
        if each.marker is None or each.marker.evaluate(environment)
    }


def debian_packages(rootfs: Path) -> Iterator[Part]:
    """Yield Debian's packages, from the record that each left in status.d."""
    release = os_release(rootfs)
    distro = f"{release['ID']}-{release['VERSION_ID']}"
    for record in sorted(rootfs.glob("var/lib/dpkg/status.d/*")):
        fields = HeaderParser().parsestr(record.read_text("utf-8"))
        name, version = fields["Package"], fields["Version"]
        qualifiers = {"arch": fields["Architecture"], "distro": distro}
        component = Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"deb:{name}",
            purl=PackageURL("deb", release["ID"], name, version, qualifiers),
        )
        yield Part(component, depended(fields))


def depended(fields: Message) -> set[str]:
    """Return the references of all packages that a record's dependencies name."""
    named = f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}"
    return {f"deb:{name}" for name in re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]*)", named)}


def os_release(rootfs: Path) -> dict[str, str]:
    """Return the fields of /usr/lib/os-release."""
    lines = (rootfs / "usr" / "lib" / "os-release").read_text("utf-8").splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
