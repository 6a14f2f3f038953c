"""Certificates and keys as others wrote them: read in full, or broken.

`cryptography` parses most of a certificate when it is asked, and raises what the part at fault
raises: ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion, DuplicateExtension, a warning,
and for a bug in its Rust a PanicException, which is no Exception. So whatever is asked later is
asked here once, and all of that is one BrokenError.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

MAX_CERTIFICATES = 64 * 1024  # a bundle of 856 kB costs 750 ms to parse (CVE-2024-12401)
MAX_KEY = 4 * 1024  # an EC key takes 250 bytes; checking an RSA key of 16384 bits takes minutes
_BLOCK = re.compile(  # one with headers is none to Go
    rb"^-----BEGIN CERTIFICATE-----[ \t]*\r?\n[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----",
    re.MULTILINE,
)
_BEGIN = b"-----BEGIN "
_PARTS = (
    "subject", "issuer", "serial_number", "not_valid_before_utc", "not_valid_after_utc",
    "extensions",
)  # fmt: skip
_ECDSA = ec.ECDSA(hashes.SHA256())


class BrokenError(ValueError):
    """What cannot be used: why, in words that follow its name and hold none of its bytes."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one hook trusts. `whole`: it holds something, and all of it could be read."""

    certificates: tuple[x509.Certificate, ...]
    whole: bool


@contextlib.contextmanager
def boundary(problem: str) -> Iterator[None]:
    """Turn whatever `cryptography` raises inside, and what it warns of, into a BrokenError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as a serial number that Go refuses
            yield
    except (BrokenError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # that is the point
        raise BrokenError(f"{problem} ({type(error).__name__})") from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # its module cannot be imported
            raise BrokenError(f"{problem} (panic)") from None
        raise


def bundle(pem: bytes) -> Bundle:
    """Return what can be read of a bundle: the API server, too, leaves out the rest."""
    if len(pem) > MAX_CERTIFICATES:
        return Bundle((), whole=False)
    found, blocks = [], _BLOCK.findall(pem)
    for block in blocks:
        with contextlib.suppress(BrokenError):
            found.append(_read(block))
    return Bundle(tuple(found), whole=bool(found) and len(found) == pem.count(_BEGIN))


def certificate(pem: bytes) -> x509.Certificate:
    """Return the one certificate of a PEM text. Raises BrokenError."""
    if len(pem) > MAX_CERTIFICATES:
        raise BrokenError(f"is over {MAX_CERTIFICATES} bytes, which no certificate has")
    blocks = _BLOCK.findall(pem)
    if len(blocks) != 1 or pem.count(_BEGIN) != 1:
        raise BrokenError(f"holds {len(blocks)} certificates in PEM, not one and nothing else")
    return _read(blocks[0])


def root(pem: bytes) -> x509.Certificate:
    """Return a CA that signed itself, as ours do: else a byte of it has changed."""
    found = certificate(pem)
    with boundary("is not signed with its own key"):
        found.verify_directly_issued_by(found)
    return found


def private_key(pem: bytes, certificate: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    """Return the EC key whose signatures the certificate's key verifies. Raises BrokenError."""
    if not pem:
        raise BrokenError("is missing")
    if len(pem) > MAX_KEY:
        raise BrokenError(f"is over {MAX_KEY} bytes, which no EC key has")
    with boundary("cannot be read as a key in PEM without a passphrase"):
        key = serialization.load_pem_private_key(
            pem,
            None,
            unsafe_skip_rsa_key_validation=True,  # an RSA key is refused anyway
        )
        public = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BrokenError("is no EC key")
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise BrokenError("is not the key of the certificate")
    with boundary("cannot sign"):
        signature = key.sign(b"", _ECDSA)
        try:
            public.verify(signature, b"", _ECDSA)
        except InvalidSignature:
            raise BrokenError("is not the key of the certificate") from None
    return key


def fingerprint(certificate: x509.Certificate) -> str:
    """Return a certificate's SHA-256 in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _read(block: bytes) -> x509.Certificate:
    with boundary("cannot be read as a certificate"):
        found = x509.load_pem_x509_certificate(block)
        found.public_key()
        for part in _PARTS:
            getattr(found, part)
    return found
