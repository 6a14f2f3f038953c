"""Issue a CA and a leaf: pure, from names and a moment in time to PEM bytes.

EC keys on P-256; the CA lives five years and signs leaves only, a leaf lives 90 days; both are
dated back an hour for clocks that lag. Key identifiers and usages are complete, because Python
3.13 and later refuse a chain that lacks them (VERIFY_X509_STRICT).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = dt.timedelta(days=5 * 365)
LEAF_LIFE = dt.timedelta(days=90)
BACKDATE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as PEM, for a caBundle."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class Pair:
    """A leaf as PEM: its certificate, its key, and the CA that signed it."""

    certificate: bytes
    key: bytes
    authority: bytes


def authority(now: dt.datetime) -> Authority:
    """Issue a self-signed CA whose name is its own: two generations never share a subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = _name(f"hybrid-guard-ca-{serial:040x}"[:24])
    public = key.public_key()
    certificate = (
        _builder(name, name, public, serial, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def leaf(issuer: Authority, hosts: tuple[str, ...], now: dt.datetime) -> Pair:
    """Issue a server certificate for DNS names and IP addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    signer = issuer.key.public_key()
    certificate = (
        _builder(
            _name(hosts[0][:64]),
            issuer.certificate.subject,
            public,
            x509.random_serial_number(),
            now,
            LEAF_LIFE,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(subject, hosts))), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key), issuer.pem)


def dev_pair(hosts: tuple[str, ...], now: dt.datetime | None = None) -> Pair:
    """Issue a leaf under a CA of its own that nobody keeps, for `serve --dev`."""
    moment = now or dt.datetime.now(dt.UTC)
    return leaf(authority(moment), hosts, moment)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    serial: int,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + life)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def subject(host: str) -> x509.DNSName | x509.IPAddress:
    """Return a host as a subject alternative name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key as PEM (PKCS 8, no passphrase)."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
