"""TLS: one cached context a certificate pair, re-read when the files change, and deadlines.

gunicorn asks for a context with each connection (sock.ssl_wrap_socket), so a new pair serves from
the next connection on. Building one takes 0.6 ms; the cache looks at the files once a second.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from webhook.telemetry import logs, metrics

HANDSHAKE_SECONDS = 2.0
REQUEST_SECONDS = 3.0
_LOOK_SECONDS = 1.0
_FLIGHTS = 4  # TLS 1.2 takes three for each end
_PEM_MAX = 64 * 1024  # parsing a hostile PEM is quadratic (CVE-2024-12401)


_idle = threading.local()


class CertificateError(ValueError):
    """A certificate pair that cannot serve; the text names the file and what is wrong."""


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket whose handshake and requests end in time, however slowly bytes trickle in.

    gthread gives a worker thread to a socket until it is read; without a deadline as many stalled
    sockets as there are threads hang the worker for good (gunicorn issue 2652).
    """

    _deadline: float | None = None

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # ssl's signature
        """Shake hands within HANDSHAKE_SECONDS, then allow REQUEST_SECONDS for the request."""
        self._arm(HANDSHAKE_SECONDS)
        try:
            super().do_handshake(block)
        except TimeoutError:
            self._expire()
        metrics.connected()
        self._arm(REQUEST_SECONDS)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  # socket's signature
        """Start the clock of a request; gunicorn blocks a socket before each one."""
        if flag:
            self._arm(REQUEST_SECONDS)
        else:
            self._deadline = None
            super().setblocking(flag)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive what comes before the deadline."""
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                self._expire()
            super().settimeout(left)
        try:
            return super().recv(buflen, flags)
        except TimeoutError:
            self._expire()
            raise

    def _arm(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        super().settimeout(seconds)

    def _expire(self) -> None:
        """Close at once: a graceful close would linger in gunicorn's main thread."""
        self.close()
        raise ConnectionResetError(errno.ECONNRESET, "deadline passed")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate pair that can serve: its context, and when it is valid."""

    digest: bytes
    context: ssl.SSLContext
    not_before: datetime
    not_after: datetime

    def invalid_reason(self, now: datetime) -> str | None:
        """Say why it is not valid, or None."""
        if now < self.not_before:
            return "the certificate is not valid yet"
        return "the certificate has expired" if now >= self.not_after else None


class Certificates:
    """The pair that serves: the newest of two files that can serve and is valid now.

    While the files hold no such pair, the last one stays; one that will be valid is taken then.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        client_ca: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._paths = (certificate, key)
        self._client_ca = client_ca
        self._lock = threading.Lock()
        self._looked = 0.0
        self._refused: tuple[bytes | None, str] | None = None
        self._pair = self._load(self._read())
        self._newest: Pair | None = self._pair
        self._digest: bytes | None = self._pair.digest

    def announce(self) -> None:
        """Tell metrics about the pair; once in each worker."""
        metrics.certificate_loaded(self._pair.not_after.timestamp())

    def current(self) -> Pair:
        """Return the pair that serves, after a look at the files if the last is a second old."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return self._pair
        with self._lock:
            if now - self._looked >= _LOOK_SECONDS:
                self._looked = now
                self._refresh()
        return self._pair

    def invalid_reason(self) -> str | None:
        """Say why the pair is not valid now, or None."""
        return self.current().invalid_reason(self._clock())

    def _refresh(self) -> None:
        try:
            self._look()
        except CertificateError as error:
            self._refuse(str(error))
        pair = self._newest
        if pair is None or pair is self._pair or pair.invalid_reason(self._clock()):
            return
        self._pair = pair
        self.announce()
        logs.event("certificate-loaded", notAfter=pair.not_after.isoformat())

    def _look(self) -> None:
        """Load what the files hold, if it is new. Raises CertificateError where it is no good."""
        contents = self._read()
        digest = _digest(contents)
        if digest == self._digest:
            return
        self._digest, self._newest = digest, None
        self._newest = self._pair if digest == self._pair.digest else self._load(contents)
        why = self._newest.invalid_reason(self._clock())
        if why:
            raise CertificateError(f"{self._paths[0]}: {why}")

    def _refuse(self, reason: str) -> None:
        """Tell of a fault once, not with every look."""
        refused = (self._digest, reason)
        if refused != self._refused:
            self._refused = refused
            metrics.certificate_refused()
            logs.event("certificate-refused", reason=reason)

    def _read(self) -> tuple[bytes, bytes]:
        contents = []
        for path in self._paths:
            try:
                with path.open("rb") as file:
                    contents.append(file.read(_PEM_MAX + 1))
            except OSError as error:
                raise CertificateError(f"{path}: {error.strerror}") from None
            if len(contents[-1]) > _PEM_MAX:
                raise CertificateError(f"{path}: over {_PEM_MAX} bytes, which no PEM pair has")
        return contents[0], contents[1]

    def _load(self, contents: tuple[bytes, bytes]) -> Pair:
        certificate, key = self._paths
        not_before, not_after = _validity(contents[0], certificate)
        if b"ENCRYPTED" in contents[1]:
            raise CertificateError(f"{key}: encrypted; write the key without a passphrase")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = DeadlineSocket
        try:
            context.load_cert_chain(certificate, key, password="")  # else OpenSSL asks the terminal
        except OSError as error:
            why = (getattr(error, "reason", None) or "cannot be read").lower().replace("_", " ")
            raise CertificateError(f"{key}: cannot serve {certificate}: {why}") from None
        if self._read() != contents:
            raise CertificateError(f"{certificate}: replaced while it was read")
        if not _shakes_hands(context):
            raise CertificateError(f"{key}: cannot serve {certificate}: no client takes it")
        if self._client_ca is not None:
            self._accept_clients(context, self._client_ca)
        return Pair(_digest(contents), context, not_before, not_after)

    @staticmethod
    def _accept_clients(context: ssl.SSLContext, authority: Path) -> None:
        """Ask for a client certificate; probes have none, so the views insist where it counts."""
        try:
            context.load_verify_locations(authority)
        except (ssl.SSLError, OSError):
            raise CertificateError(f"{authority}: not a PEM certificate") from None
        context.verify_mode = ssl.CERT_OPTIONAL


def _validity(pem: bytes, path: Path) -> tuple[datetime, datetime]:
    """Return the first and the last moment of a certificate. Raises CertificateError.

    The parser raises whatever the part at fault raises, for a bug in its Rust what is no Exception.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaf = x509.load_pem_x509_certificate(pem)
            serial, validity = (
                leaf.serial_number,
                (leaf.not_valid_before_utc, leaf.not_valid_after_utc),
            )
    except Exception:  # noqa: BLE001  # that is the point
        raise CertificateError(f"{path}: not a PEM certificate") from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # its module cannot be imported
            raise CertificateError(f"{path}: not a PEM certificate") from None
        raise
    if serial < 0:
        raise CertificateError(
            f"{path}: its serial number is negative, which the API server refuses"
        )
    return validity


def _shakes_hands(context: ssl.SSLContext) -> bool:
    """Tell whether a client that trusts anything takes it: a key may load and sign nothing."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE  # its issuer is the API server's to judge
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    waiting = [client.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)]
    for _ in range(_FLIGHTS):
        for end in tuple(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
            waiting.remove(end)
    return not waiting


def forget_errors() -> None:
    """Empty this thread's OpenSSL error queue; call it before a thread takes up a connection.

    From Python 3.12.3 on an EPIPE or ECONNRESET stays there (gh-115627 returns before it clears),
    and the next read of another connection in the thread fails with it. A handshake starts by
    clearing the queue, so one that cannot get anywhere does: 4 us.
    """
    if not hasattr(_idle, "object"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _idle.object = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    with contextlib.suppress(OSError):
        _idle.object.do_handshake()


def has_client_certificate(connection: Any) -> bool:
    """Tell whether a connection brought a certificate that the client CA signed."""
    return isinstance(connection, ssl.SSLSocket) and bool(connection.getpeercert())


def _digest(contents: tuple[bytes, bytes]) -> bytes:
    return hashlib.sha256(b"\0".join(contents)).digest()
