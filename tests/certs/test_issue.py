from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from certs import issue

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def chain(*hosts: str) -> tuple[x509.Certificate, x509.Certificate, issue.Pair]:
    authority = issue.authority(NOW)
    pair = issue.leaf(authority, hosts, NOW)
    return authority.certificate, x509.load_pem_x509_certificate(pair.certificate), pair


@pytest.mark.parametrize("host", ["guard.kube-system.svc", "localhost"])
def test_an_independent_verifier_accepts_the_chain_for_each_name(host: str) -> None:
    authority, leaf, _ = chain("localhost", "guard.kube-system.svc", "127.0.0.1")
    builder = verification.PolicyBuilder().store(verification.Store([authority])).time(NOW)
    builder.build_server_verifier(x509.DNSName(host)).verify(leaf, [])

    with pytest.raises(verification.VerificationError):
        builder.build_server_verifier(x509.DNSName("other.svc")).verify(leaf, [])


def test_lives_and_back_dating_are_as_documented() -> None:
    authority, leaf, _ = chain("localhost")

    assert leaf.not_valid_before_utc == NOW - dt.timedelta(hours=1)
    assert leaf.not_valid_after_utc == NOW + dt.timedelta(days=90)
    assert authority.not_valid_after_utc == NOW + dt.timedelta(days=5 * 365)


def test_two_generations_of_a_ca_never_share_a_subject() -> None:
    assert issue.authority(NOW).certificate.subject != issue.authority(NOW).certificate.subject


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")
def test_openssl_accepts_the_chain_strictly(tmp_path: Path) -> None:
    _, _, pair = chain("localhost")
    (tmp_path / "ca.pem").write_bytes(pair.authority)
    (tmp_path / "leaf.pem").write_bytes(pair.certificate)
    moment = str(int(NOW.timestamp()))
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-attime", moment, "-CAfile", tmp_path / "ca.pem", tmp_path / "leaf.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
