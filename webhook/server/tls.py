"""TLS: the pair that serves, read again when its files change; a connection gets its context."""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from webhook.server.kept import Kept, in_memory, path_of
from webhook.telemetry import logs, metrics

_FLIGHTS = 4  # TLS 1.2 takes three for each end
_PEM_MAX = 64 * 1024  # parsing a hostile PEM is quadratic (CVE-2024-12401)
_BETWEEN = b"\0"  # stands in no PEM

Contents = tuple[bytes, ...]
"""Of the certificate, the key and, where clients bring certificates, their CA."""


class CertificateError(ValueError):
    """A certificate pair that cannot serve; the text names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate pair that can serve: its context, and when it is valid."""

    contents: Contents
    context: ssl.SSLContext
    not_before: datetime
    not_after: datetime

    def invalid_reason(self, now: datetime) -> str | None:
        """Say why it is not valid, or None."""
        if now < self.not_before:
            return "the certificate is not valid yet"
        return "the certificate has expired" if now >= self.not_after else None

    @property
    def digest(self) -> bytes:
        """What tells it from another pair, and may be kept and shown."""
        return hashlib.sha256(_BETWEEN.join(self.contents)).digest()


class Certificates:
    """The pair that serves: the newest of its files that can serve and is valid now.

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
        self._paths = (certificate, key, *([client_ca] if client_ca else []))
        self._refused: tuple[Contents | None, str] | None = None
        self._pair = self._load(self._read())
        self._newest: Pair | None = self._pair
        self._seen: Contents | None = self._pair.contents
        self._kept = Kept(_BETWEEN.join(self._pair.contents))

    def current(self) -> Pair:
        """Return the pair that serves."""
        return self._pair

    def invalid_reason(self) -> str | None:
        """Say why the pair is not valid now, or None."""
        return self._pair.invalid_reason(self._clock())

    def restore(self) -> None:
        """Take what the siblings of this worker serve; once, after the fork."""
        contents = tuple(self._kept.read().content.split(_BETWEEN))
        if contents != self._pair.contents:
            self._pair = self._newest = self._load(contents)
            self._seen = contents
        metrics.certificate_loaded(self._pair.not_after.timestamp())
        self.refresh()

    def refresh(self) -> None:
        """Look at the files; take their pair if it is a new one and a good one."""
        try:
            self._look()
        except CertificateError as error:
            self._refuse(str(error))
        pair = self._newest
        if pair is None or pair is self._pair or pair.invalid_reason(self._clock()):
            return
        self._kept.keep(_BETWEEN.join(pair.contents))
        self._pair = pair
        metrics.certificate_loaded(pair.not_after.timestamp())
        logs.event("certificate-loaded", notAfter=pair.not_after.isoformat())

    def _look(self) -> None:
        """Load what the files hold, if it is new. Raises CertificateError where it is no good."""
        contents = self._read()
        if contents == self._seen:
            return
        self._seen, self._newest = contents, None
        self._newest = self._pair if contents == self._pair.contents else self._load(contents)
        why = self._newest.invalid_reason(self._clock())
        if why:
            raise CertificateError(f"{self._paths[0]}: {why}")

    def _refuse(self, reason: str) -> None:
        """Tell of a fault once, not with every look."""
        refused = (self._seen, reason)
        if refused != self._refused:
            self._refused = refused
            metrics.certificate_refused()
            logs.event("certificate-refused", reason=reason)

    def _read(self) -> Contents:
        contents = []
        for path in self._paths:
            try:
                with path.open("rb") as file:
                    contents.append(file.read(_PEM_MAX + 1))
            except OSError as error:
                raise CertificateError(f"{path}: {error.strerror}") from None
            if len(contents[-1]) > _PEM_MAX:
                raise CertificateError(f"{path}: over {_PEM_MAX} bytes, which no PEM pair has")
        return tuple(contents)

    def _load(self, contents: Contents) -> Pair:
        """Load a pair apart from the one that serves, and prove that a client takes it."""
        certificate, key = self._paths[:2]
        not_before, not_after = _validity(contents[0], certificate)
        if b"ENCRYPTED" in contents[1]:
            raise CertificateError(f"{key}: encrypted; write the key without a passphrase")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            with _as_file(contents[0]) as chain, _as_file(contents[1]) as secret:
                context.load_cert_chain(chain, secret, password="")  # else OpenSSL asks
        except OSError as error:
            why = (getattr(error, "reason", None) or "cannot be read").lower().replace("_", " ")
            raise CertificateError(f"{key}: cannot serve {certificate}: {why}") from None
        if not _shakes_hands(context):
            raise CertificateError(f"{key}: cannot serve {certificate}: no client takes it")
        if len(contents) > len((certificate, key)):
            _accept_clients(context, contents[2], self._paths[2])
        return Pair(contents, context, not_before, not_after)


def _accept_clients(context: ssl.SSLContext, authority: bytes, path: Path) -> None:
    """Ask for a client certificate; probes have none, so the hooks insist where it counts."""
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise CertificateError(f"{path}: not a PEM certificate") from None
    context.verify_mode = ssl.CERT_OPTIONAL


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Give a content the name that OpenSSL asks for, without a disk."""
    file = in_memory()
    try:
        os.pwrite(file, content, 0)
        yield path_of(file)
    finally:
        os.close(file)


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
