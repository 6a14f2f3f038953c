"""Which certificate the server's endpoints show, before the CA that signed the old one goes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.kube import ApiError, Kube

_SECONDS = 3.0


class Endpoints:
    """The ready endpoints of a Service, by its EndpointSlices."""

    def __init__(self, kube: Kube, namespace: str, service: str) -> None:
        self._kube = kube
        self._path = (
            f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
            f"?labelSelector=kubernetes.io/service-name%3D{service}"
        )

    def settled(self, leaf: x509.Certificate) -> bool:
        """Tell whether every ready endpoint shows this leaf; one that is silent does not."""
        try:
            slices = self._kube.get(self._path).get("items") or []
        except ApiError:
            return False
        expected = leaf.public_bytes(Encoding.DER)
        return all(_shown(host, port) == expected for host, port in _addresses(slices))


def _addresses(slices: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for item in slices:
        for endpoint in item.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                ports = [port["port"] for port in item.get("ports") or [] if port.get("port")]
                for address in endpoint.get("addresses") or []:
                    yield from ((address, port) for port in ports)


def _shown(host: str, port: int) -> bytes | None:
    """Return the certificate as DER, compared and never parsed; None where nothing is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only looked at; nothing is sent
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as raw,
            context.wrap_socket(raw) as connection,
        ):
            return connection.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
