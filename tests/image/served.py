"""The server of the image: in its jail, reached over the loopback of its own network."""

from __future__ import annotations

import http.client
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests import kernel
from tests.image import jail
from tests.image.build import Image
from tests.serving import Server

MOUNTED = "/etc/hybrid-guard/tls"


class ImageServer(Server):
    """`hybrid-guard serve` of the image, its certificates mounted as the chart mounts them."""

    def __init__(self, image: Image, *arguments: str) -> None:
        super().__init__(*arguments)
        self._image = image
        group = int(image.user.split(":")[1])
        self.folder.chmod(0o755)
        os.chown(self.key, 0, group)
        self.key.chmod(0o440)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return what to start."""
        return jail.command(
            self._image, "hybrid-guard", "serve", "--port=19443",
            f"--cert={MOUNTED}/tls.crt", f"--key={MOUNTED}/tls.key", *arguments,
            binds={MOUNTED: self.folder},
        )  # fmt: skip

    def connect(self, timeout: float = 30) -> http.client.HTTPSConnection:
        """Return a connection made inside: a thread may be in another network than its process."""
        connection = super().connect(timeout)

        def enter_and_connect() -> None:
            with open(f"/proc/{self.process.pid}/ns/net", "rb") as network:  # noqa: PTH123  # no path to resolve
                kernel.call(kernel.LIBC.setns, network.fileno())
            connection.connect()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(enter_and_connect).result()
        return connection
