"""The pair that serves: a good one that is valid now is never given up for another kind."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certs import issue
from tests.certs import odd
from tests.conftest import ROOT, scaled
from tests.reviews import review
from tests.server.test_server import calico, served_serial, until
from tests.serving import Server
from webhook.server.tls import CertificateError, Certificates, Pair

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOSTS = ("localhost",)
AUTHORITY = issue.authority(NOW)
GOOD = issue.leaf(AUTHORITY, HOSTS, NOW)
SERVES = {"secp521r1", "Ed25519", "Ed448", "RSA-PSS", "explicit parameters"}
"""Odd to a rotator, and fit to serve where a user brings them."""


def odd_pairs() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield pairs that cannot serve: what they are, certificate and key."""
    for name, (certificate, key) in odd.pairs().items():
        if name not in SERVES:
            yield name, certificate, key
    for name, key in odd.keys().items():
        yield f"{name}, the certificate of another", GOOD.certificate, key
    for name, certificate in odd.broken_armour(GOOD.certificate).items():
        if name not in ("twice", "with a key", "a header"):  # OpenSSL reads the first
            yield name, certificate, GOOD.key


def files(folder: Path, certificate: bytes, key: bytes) -> tuple[Path, Path]:
    paths = folder / "tls.crt", folder / "tls.key"
    for path, text in zip(paths, (certificate, key), strict=True):
        path.write_bytes(text)
    return paths


def test_a_pair_that_cannot_serve_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    for name, certificate, key in odd_pairs():
        paths = files(tmp_path, certificate, key)
        with pytest.raises(CertificateError) as raised:
            Certificates(*paths)
        (line,) = str(raised.value).splitlines()
        assert line.startswith(tuple(f"{path}: " for path in paths)), name
        assert len(line) < 300


@pytest.mark.parametrize("name", sorted(SERVES))
def test_a_pair_of_another_kind_that_a_client_takes_serves(name: str, tmp_path: Path) -> None:
    Certificates(*files(tmp_path, *odd.pairs()[name]))


@pytest.mark.parametrize("name", odd.CHANGES)
def test_an_odd_certificate_serves_or_is_an_error(name: str, tmp_path: Path) -> None:
    leaf = odd.changed(odd.unarmoured(GOOD.certificate), odd.CHANGES[name], AUTHORITY.key)
    try:
        Certificates(*files(tmp_path, leaf, GOOD.key))
    except CertificateError:
        return
    assert name != "a negative serial number", "Go refuses those"


def test_whichever_byte_of_it_changed_it_serves_or_is_an_error(tmp_path: Path, seed: int) -> None:
    """A byte of the key's number leaves a key that loads, fits, and signs nothing."""
    rng, refused = random.Random(seed), 0  # noqa: S311  # moments, not secrets
    certificate, key = map(odd.unarmoured, (GOOD.certificate, GOOD.key))
    number = key.index(b"\x04\x20") + 2  # OCTET STRING of 32 bytes
    for place in [*range(number, number + 32), *rng.sample(range(len(key)), scaled(300))]:
        changed = bytearray(key)
        changed[place] ^= rng.randrange(1, 256)
        try:
            Certificates(*files(tmp_path, GOOD.certificate, odd.armoured(bytes(changed), "PRIVATE KEY")))  # fmt: skip
        except CertificateError:
            refused += 1
        else:
            assert not number <= place < number + 32
    for place in rng.sample(range(len(certificate)), scaled(1500)):
        changed = bytearray(certificate)
        changed[place] ^= rng.randrange(1, 256)
        try:
            Certificates(*files(tmp_path, odd.armoured(bytes(changed)), GOOD.key))
        except CertificateError:
            refused += 1
    assert refused > 32


class Files:
    """A pair of files that are read with a clock moved by hand."""

    def __init__(self, folder: Path, pair: issue.Pair) -> None:
        self.now = NOW
        self.folder = folder
        self.certificates = Certificates(*self.write(pair), clock=lambda: self.now)

    def write(self, pair: issue.Pair) -> tuple[Path, Path]:
        return files(self.folder, pair.certificate, pair.key)

    def becomes(self, not_before: dt.datetime) -> Pair:
        """Look at the files; return the pair that begins then."""
        self.certificates.refresh()
        assert self.certificates.current().not_before == not_before
        return self.certificates.current()

    def stays(self, pair: Pair, capfd: pytest.CaptureFixture[str], reason: str) -> None:
        """Look at the files, which are refused."""
        self.certificates.refresh()
        assert self.certificates.current() is pair
        assert reason in capfd.readouterr().out


def begins(days: int) -> tuple[issue.Pair, dt.datetime]:
    """Return a leaf that begins so many days from NOW and lives 90, and when it begins."""
    issued = NOW + dt.timedelta(days=days)
    return issue.leaf(AUTHORITY, HOSTS, issued), issued - issue.BACKDATE


def test_an_expired_pair_never_takes_the_place_of_a_valid_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Files(tmp_path, GOOD)
    good = held.certificates.current()

    held.write(begins(-100)[0])

    held.stays(good, capfd, "tls.crt: the certificate has expired")
    assert held.certificates.invalid_reason() is None


def test_a_pair_that_is_not_valid_yet_is_taken_when_it_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Files(tmp_path, GOOD)
    good = held.certificates.current()
    later, begin = begins(10)

    held.write(later)
    held.stays(good, capfd, "tls.crt: the certificate is not valid yet")
    held.now = begin

    held.becomes(begin)
    assert held.certificates.invalid_reason() is None


def test_while_no_pair_is_valid_the_last_one_stays_and_a_valid_one_is_taken(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Files(tmp_path, begins(-100)[0])
    ended = held.certificates.current()
    assert held.certificates.invalid_reason() == "the certificate has expired"

    held.write(begins(-95)[0])
    held.stays(ended, capfd, "has expired")
    held.write(begins(3)[0])
    held.stays(ended, capfd, "not valid yet")
    held.write(GOOD)

    held.becomes(NOW - issue.BACKDATE)


def test_a_pair_that_waits_is_forgotten_when_the_good_one_is_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Files(tmp_path, GOOD)
    good = held.certificates.current()
    later, begin = begins(10)
    held.write(later)
    held.stays(good, capfd, "not valid yet")

    held.write(GOOD)
    held.write(begins(-100)[0])
    held.stays(good, capfd, "has expired")
    held.now = begin
    held.certificates.refresh()

    assert held.certificates.current() is good
    broken = issue.Pair(odd.pairs()["SM2"][0], GOOD.key, b"")
    held.write(broken)
    held.stays(good, capfd, "tls.key: cannot serve")


def test_a_server_keeps_its_pair_whatever_is_written_and_counts_it() -> None:
    with Server("--network", "bgp") as server:
        first = served_serial(server)
        wrong = {
            "has expired": issue.leaf(server.authority, ("127.0.0.1",), dt.datetime.now(dt.UTC) - dt.timedelta(days=100)),
            "not valid yet": issue.leaf(server.authority, ("127.0.0.1",), dt.datetime.now(dt.UTC) + dt.timedelta(days=100)),
            "cannot serve": issue.Pair(*odd.pairs()["secp112r1"], b""),
            "encrypted": issue.Pair(server.certificate.read_bytes(), odd.keys()["encrypted, PKCS 8"], b""),
        }  # fmt: skip
        for reason, pair in wrong.items():
            server.write_pair(pair)

            def refused(reason: str = reason) -> bool:
                assert served_serial(server) == first
                return any(reason in line.get("reason", "") for line in server.lines)

            until(refused)
        assert server.review("/mutate", review(calico())).status == 200
        assert server.request("GET", "/readyz").status == 200
        metrics = server.request("GET", "/metrics").body.decode()
        (count,) = [line for line in metrics.splitlines() if line.startswith("hybrid_guard_certificate_load_failures_total ")]  # fmt: skip
        assert float(count.split()[1]) >= len(wrong)
        assert "Traceback" not in "".join(server.text)


def serve(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "webhook", "serve", "--network", "bgp", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "encrypted, SEC 1, the certificate of another",
            "tls.key: encrypted; write the key without",
        ),
        ("SM2", "tls.key: cannot serve"),
        ("secp112r1", "tls.key: cannot serve"),
        ("two megabytes", "tls.crt: over 65536 bytes"),
        ("no UTF-8", "tls.crt: not a PEM certificate"),
    ],
)
def test_it_does_not_start_with_a_pair_that_cannot_serve(name: str, why: str, tmp_path: Path) -> None:  # fmt: skip
    (pair,) = [(certificate, key) for found, certificate, key in odd_pairs() if found == name]
    certificate, key = files(tmp_path, *pair)

    done = serve("--cert", certificate, "--key", key, "--host", "127.0.0.1", "--port", "0")

    assert done.returncode == 2
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
