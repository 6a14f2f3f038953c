"""Certificates and keys that somebody dislikes: made by openssl, or by changing DER and signing."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

Certificate = bytes
SEQUENCE, SET, INTEGER, UTF8, UTC, GENERALIZED = 0x30, 0x31, 0x02, 0x0C, 0x17, 0x18
VERSION, EXTENSIONS = 0xA0, 0xA3

CURVES = (
    "secp112r1", "SM2", "brainpoolP256r1", "secp256k1", "secp224r1", "sect233r1", "secp521r1",
    "wap-wsg-idm-ecid-wtls1",
)  # fmt: skip
NO_SIGNERS = ("x25519", "x448")
OTHERS = {
    "Ed25519": ("-algorithm", "ed25519"),
    "Ed448": ("-algorithm", "ed448"),
    "RSA of 512 bits": ("-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:512"),
    "RSA of 1024 bits": ("-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024"),
    "RSA-PSS": ("-algorithm", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"),
    "explicit parameters": (
        "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit",
    ),
}  # fmt: skip


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=True)  # fmt: skip
    return done.stdout


def self_signed(key: bytes) -> Certificate:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "key"
        file.write_bytes(key)
        return openssl("req", "-x509", "-new", "-key", file, "-subj", "/CN=odd", "-days", "9000")


@functools.cache
def pairs() -> dict[str, tuple[Certificate, bytes]]:
    """Return self-signed certificates with their keys, none of which a rotator can use."""
    made = {curve: openssl("ecparam", "-name", curve, "-genkey", "-noout") for curve in CURVES}
    made |= {name: openssl("genpkey", *how) for name, how in OTHERS.items()}
    return {name: (self_signed(key), key) for name, key in made.items()}


@functools.cache
def keys() -> dict[str, bytes]:
    """Return keys that fit no certificate of ours, or cannot be read."""
    p256 = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    found = {name: openssl("genpkey", "-algorithm", name) for name in NO_SIGNERS}
    dsa = openssl("genpkey", "-genparam", "-algorithm", "dsa", "-pkeyopt", "dsa_paramgen_bits:1024")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "parameters"
        file.write_bytes(dsa)
        found["DSA"] = openssl("genpkey", "-paramfile", file)
    found |= {
        "DH": openssl("genpkey", "-algorithm", "dh", "-pkeyopt", "group:ffdhe2048"),
        "RSA of 4096 bits": openssl("genrsa", "4096"),
        "RSA in PKCS 1": openssl("genrsa", "-traditional", "1024"),
        "encrypted, PKCS 8": openssl("pkcs8", "-topk8", "-passout", "pass:x", stdin=p256),
        "encrypted, SEC 1": openssl("ec", "-aes256", "-passout", "pass:x", stdin=p256),
        "a public key": openssl("ec", "-pubout", stdin=p256),
        "another key": p256,
        "parameters alone": openssl("ecparam", "-name", "prime256v1"),
        "two megabytes": p256 * 9000,
        "nothing but NUL": b"\0" * 100,
        "empty": b"",
    }
    return found | {name: key for name, (_, key) in pairs().items()}


def tlv(tag: int, content: bytes) -> bytes:
    """Return one DER element."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def children(element: bytes) -> list[bytes]:
    """Return the elements inside one."""
    found, rest = [], _content(element)
    while rest:
        size = len(rest) - len(_content_and_rest(rest)[1])
        found.append(rest[:size])
        rest = rest[size:]
    return found


def _content(element: bytes) -> bytes:
    return _content_and_rest(element)[0]


def _content_and_rest(element: bytes) -> tuple[bytes, bytes]:
    size, start = element[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(element[2:start], "big")
    return element[start : start + size], element[start + size :]


def armoured(der: bytes, label: str = "CERTIFICATE") -> bytes:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def unarmoured(text: bytes) -> bytes:
    return base64.b64decode(b"".join(text.splitlines()[1:-1]))


Fields = list[bytes]
"""version, serial, signature algorithm, issuer, validity, subject, key, extensions: as DER."""


def _replaced(index: int, element: bytes) -> Callable[[Fields], Fields]:
    return lambda fields: [*fields[:index], element, *fields[index + 1 :]]


def _time(text: str) -> bytes:
    return tlv(UTC if len(text) == 13 else GENERALIZED, text.encode())


def _valid(first: str, last: str) -> Callable[[Fields], Fields]:
    return _replaced(4, tlv(SEQUENCE, _time(first) + _time(last)))


def _name(tag: int, text: bytes) -> bytes:
    kind = bytes.fromhex("0603550403")  # commonName
    return tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, kind + tlv(tag, text))))


def _extended(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Fields], Fields]:
    def changed(fields: Fields) -> Fields:
        (listed,) = children(fields[7])
        return [*fields[:7], tlv(EXTENSIONS, tlv(SEQUENCE, b"".join(change(children(listed)))))]

    return changed


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = b"\x01\x01\xff" if critical else b""
    return tlv(SEQUENCE, tlv(0x06, bytes.fromhex(oid)) + flag + tlv(0x04, value))


_SAN, _UNKNOWN = "551d11", "2a0304"

CHANGES: dict[str, Callable[[Fields], Fields]] = {
    "version 1 with extensions": lambda fields: fields[1:],
    "version 1": lambda fields: fields[1:-1],
    "version 4": _replaced(0, tlv(VERSION, tlv(INTEGER, b"\x03"))),
    "a negative serial number": _replaced(1, tlv(INTEGER, b"\xff\x01")),
    "serial number 0": _replaced(1, tlv(INTEGER, b"\0")),
    "a serial number of 30 bytes": _replaced(1, tlv(INTEGER, b"\x01" * 30)),
    "an empty serial number": _replaced(1, tlv(INTEGER, b"")),
    "a signature algorithm unknown inside": _replaced(2, tlv(SEQUENCE, bytes.fromhex("06032a0304"))),
    "an issuer that is no UTF-8": _replaced(3, _name(UTF8, b"\xff\xfe")),
    "a subject that is no UTF-8": _replaced(5, _name(UTF8, b"\xff\xfe")),
    "an issuer without end": _replaced(3, bytes([SEQUENCE, 0x85, 1, 2, 3, 4, 5])),
    "ends before it begins": _valid("271124110000Z", "261124110000Z"),
    "ends in the year 9999, begins there": _valid("99991231230000Z", "99991231235959Z"),
    "begins in the year 0": _valid("00000101000000Z", "301124110000Z"),
    "begins before 1950": _valid("19491231235959Z", "301124110000Z"),
    "month 13": _valid("261324110000Z", "301124110000Z"),
    "a time without Z": _valid("2611241100000", "301124110000Z"),
    "a time with a zone": _replaced(4, tlv(SEQUENCE, tlv(UTC, b"261124110000+0100") * 2)),
    "an extension twice": _extended(lambda listed: [*listed, listed[-1]]),
    "a name that is broken": _extended(lambda listed: [*listed[:-1], _extension(_SAN, b"\x30\x05\x82")]),
    "a name that is no ASCII": _extended(
        lambda listed: [*listed[:-1], _extension(_SAN, tlv(SEQUENCE, tlv(0x82, b"\xff.example")))]
    ),
    "an address of three bytes": _extended(
        lambda listed: [*listed[:-1], _extension(_SAN, tlv(SEQUENCE, tlv(0x87, b"\1\2\3")))]
    ),
    "a critical extension nobody knows": _extended(
        lambda listed: [*listed, _extension(_UNKNOWN, b"\5\0", critical=True)]
    ),
    "no extensions": lambda fields: fields[:7],
    "a key of an unknown kind": _replaced(6, tlv(SEQUENCE, bytes.fromhex("300506032a0304030200ff"))),
    "a point that is on no curve": lambda fields: [*fields[:6], fields[6][:-1] + bytes([fields[6][-1] ^ 1]), *fields[7:]],
}  # fmt: skip
ACCEPTED = {"begins before 1950"}
"""Odd, and still accepted by every verifier: it stays."""


def changed(der: bytes, how: Callable[[Fields], Fields], signer: ec.EllipticCurvePrivateKey) -> Certificate:  # fmt: skip
    """Return a certificate whose signed part was changed and signed again."""
    signed, algorithm, _ = children(der)
    part = tlv(SEQUENCE, b"".join(how(children(signed))))
    signature = signer.sign(part, ec.ECDSA(hashes.SHA256()))
    return armoured(tlv(SEQUENCE, part + algorithm + tlv(0x03, b"\0" + signature)))


def broken_armour(good: bytes) -> dict[str, bytes]:
    """Return PEM texts that are no certificate, from one that is."""
    begin, *middle, end = good.splitlines(keepends=True)
    text = b"".join(middle)
    return {
        "no end": begin + text,
        "no beginning": text + end,
        "another label": good.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        "two labels": begin + text + end.replace(b"CERTIFICATE", b"PRIVATE KEY"),
        "no base64": good.replace(text[:20], b"*" * 20),
        "a piece is missing": begin + text[8:] + end,
        "a header": begin + b"Proc-Type: 4,ENCRYPTED\n\n" + text + end,
        "a byte behind the certificate": armoured(unarmoured(good) + b"\0"),
        "the half of it": armoured(unarmoured(good)[:200]),
        "twice": good * 2,
        "with a key": good + armoured(b"123", "PRIVATE KEY"),
        "two megabytes": good * 3300,
        "no PEM": unarmoured(good),
        "NUL bytes": b"\0" * 100,
        "no UTF-8": b"\xff\xfe\0",
        "UTF-16": good.decode().encode("utf-16"),
        "spaces": b" \n\t",
    }


def openssl_dislikes(leaf: bytes, bundle: bytes, host: str, now: dt.datetime) -> str:
    """Return what openssl says against a leaf under a bundle; nothing where it accepts it."""
    with tempfile.TemporaryDirectory() as folder:
        ca, shown = Path(folder) / "ca", Path(folder) / "leaf"
        ca.write_bytes(bundle)
        shown.write_bytes(leaf)
        done = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca,
             "-verify_hostname", host, "-attime", str(int(now.timestamp())), shown],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return done.stderr if done.returncode else ""
