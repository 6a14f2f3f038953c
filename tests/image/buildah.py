"""buildah: the Dockerfile's builder, which needs neither a daemon nor a registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.image import commands

_TRUST_ALL = '{"default": [{"type": "insecureAcceptAnything"}]}'
_TRUSTING = {"from", "commit", "build", "push"}


class Buildah:
    """buildah with a storage of its own and no registry."""

    def __init__(self, storage: Path) -> None:
        self._policy = storage / "policy.json"
        self._policy.write_text(_TRUST_ALL)
        self._common = ["buildah", f"--root={storage / 'root'}", f"--runroot={storage / 'run'}"]
        self._common += ["--storage-driver=vfs"]

    def _run(self, verb: str, *arguments: str, label: str | None = None) -> str:
        trusted = [f"--signature-policy={self._policy}"] if verb in _TRUSTING else []
        command = [*self._common, verb, *trusted, *arguments]
        return commands.run(command, label or f"buildah {verb}").strip()

    def load(self, archive: Path, name: str) -> None:
        """Make an image of a root file system's archive."""
        container = self._run("from", "scratch")
        self._run("add", "--quiet", container, str(archive), "/")
        self._run("commit", "--quiet", "--rm", f"--timestamp={commands.EPOCH}", container, name)

    def build(self, context: Path, wheels: Path) -> None:
        """Run the Dockerfile over the bases, with a folder of wheels instead of an index."""
        arguments = {
            "BUILD_BASE": "localhost/build", "BASE": "localhost/base",
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels",
            "SOURCE_DATE_EPOCH": commands.EPOCH,
        }  # fmt: skip
        self._run(
            "build", "--isolation=chroot", "--pull-never", "--layers=false",
            f"--timestamp={commands.EPOCH}", f"--volume={wheels}:/wheels:ro", "--tag=hybrid-guard",
            *(f"--build-arg={name}={value}" for name, value in arguments.items()), str(context),
            label="the Dockerfile",
        )  # fmt: skip

    def inspect(self) -> dict[str, Any]:
        """Return what there is to know of the image."""
        described: dict[str, Any] = json.loads(self._run("inspect", "--type=image", "hybrid-guard"))
        return described

    def export(self, folder: Path) -> None:
        """Write the image's id, its configuration, its archive, and its files."""
        described = self.inspect()
        (folder / "id").write_text(described["FromImageID"], "ascii")
        (folder / "config.json").write_text(json.dumps(described["OCIv1"]["config"], indent=1))
        self._run("push", "--quiet", "hybrid-guard", f"oci-archive:{folder / 'image.tar'}")
        mounted = self._run("mount", self._run("from", "--pull-never", "hybrid-guard"))
        Path(mounted).rename(folder / "rootfs")  # vfs: a folder of its own, and no mount
