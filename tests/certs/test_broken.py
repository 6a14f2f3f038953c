"""Whatever is in a store or a hook, it is read or it is broken; what is broken is made anew."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import issue, pem, renewal
from certs.cli import cli
from certs.inject import Wanted
from certs.pem import BrokenError, Bundle
from certs.renewal import Step
from certs.rotate import Rotator, observe
from tests.certs import odd
from tests.certs.scene import (
    HOSTS,
    START,
    Clock,
    Hooks,
    Memory,
    accepted,
    due_for_a_new_ca,
    leaf,
    no_call_fails,
    rotator,
    settle,
    step,
)
from tests.conftest import scaled

CERTIFICATES = ("ca.crt", "tls.crt", "next-ca.crt", "old-ca.crt")
MINUTE = dt.timedelta(seconds=61)
Data = dict[str, bytes]


def settled(start: dt.datetime = START) -> tuple[Memory, Hooks, Clock]:
    """Three days after the installation."""
    store, hooks, clock = Memory(), Hooks(), Clock(start)
    settle(store, hooks, clock)
    clock.move(days=3)
    return store, hooks, clock


def settled_now() -> tuple[Memory, Hooks, Clock]:
    """The same, a minute from now: openssl dates what it signs by the clock on the wall."""
    return settled(dt.datetime.now(dt.UTC) - dt.timedelta(days=3) + MINUTE)


def write(store: Memory, **files: bytes) -> None:
    """Write as somebody else; `ca_crt` is ca.crt."""
    store.data |= {name.replace("_", ".", 1): text for name, text in files.items()}
    store.version += 1


def key_of(store: Memory) -> ec.EllipticCurvePrivateKey:
    return pem.private_key(store.data["ca.key"], pem.certificate(store.data["ca.crt"]))


NEXT = issue.authority(START)


def odd_certificates(store: Memory) -> Iterator[tuple[str, str, bytes]]:
    """Yield each odd certificate: what it is, the file it is in, and its text."""
    for file in CERTIFICATES:
        good = NEXT.pem if file == "next-ca.crt" else store.data[file.removeprefix("old-")]
        signer = NEXT.key if file == "next-ca.crt" else key_of(store)
        for name, change in odd.CHANGES.items():
            yield name, file, odd.changed(odd.unarmoured(good), change, signer)
        for name, text in odd.broken_armour(good).items():
            yield name, file, text
        for name, (text, _) in odd.pairs().items():
            yield name, file, text


def check(folder: Path, data: Data) -> int:
    """Run `hybrid-certs check` on a directory that holds this; return its exit status."""
    current = folder / "current"
    current.mkdir()
    for name, text in data.items():
        (current / name).write_bytes(text)
    hosts = itertools.chain.from_iterable(("--host", host) for host in HOSTS)
    done = CliRunner().invoke(cli, ["check", "--directory", str(folder), *hosts])
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert done.output.strip()
    assert "PRIVATE KEY" not in done.output
    return done.exit_code


def mended(store: Memory, hooks: Hooks, clock: Clock, shown: x509.Certificate, name: str) -> None:
    """Step to the end, minute by minute; what servers show stays trusted, and the end is good."""
    last = done = None
    for _ in range(12):
        last, done = done, step(store, hooks, clock)
        for held in hooks.now:
            assert held is not None
            assert accepted(shown, held, clock.now), name
        if last is done is Step.NOTHING:
            break
        if done in (Step.NOTHING, Step.WAIT):
            clock.now += MINUTE
    assert done is Step.NOTHING, name
    seen = observe(store.data, hooks.bundles())
    assert (seen.broken, seen.following) == ({}, None), name
    bundle = b"".join(
        ca.public_bytes(serialization.Encoding.PEM) for ca in renewal.trusted(seen, clock.now)
    )
    if store.data["tls.crt"] != shown.public_bytes(serialization.Encoding.PEM):
        told = odd.openssl_dislikes(store.data["tls.crt"], bundle, HOSTS[0], clock.now)
        assert told == "", name


def test_every_odd_certificate_in_every_file_is_mended_or_as_good_as_ours() -> None:
    kept = set()
    start, hooks, clock = settled()
    shown = leaf(start)
    for name, file, text in odd_certificates(start):
        store, held, now = Memory(start.data), Hooks(hooks.now), Clock(clock.now)
        write(store, **{file: text})
        if file == "next-ca.crt":
            write(store, **{"next-ca.key": issue.key_pem(NEXT.key)})
        mended(store, held, now, shown, f"{name} in {file}")
        if store.data.get(file) == text:
            kept.add((name, file))
    # What the replaced CA signed is good whatever else is odd about it, and it goes in a day.
    assert {name for name, file in kept if file != "old-ca.crt"} == odd.ACCEPTED


def test_every_odd_key_is_made_anew() -> None:
    start, hooks, clock = settled()
    for (name, text), file in itertools.product(odd.keys().items(), ("ca.key", "tls.key", "next-ca.key")):  # fmt: skip
        store, held, now = Memory(start.data), Hooks(hooks.now), Clock(clock.now)
        write(store, **{file: text})
        if file == "next-ca.key":
            write(store, **{"next-ca.crt": NEXT.pem})
        mended(store, held, now, leaf(start), f"{name} in {file}")
        assert store.data.get(file) != text


@pytest.mark.parametrize("name", sorted(odd.CURVES) + sorted(odd.OTHERS))
@pytest.mark.parametrize("role", ["ca", "tls", "next-ca"])
def test_an_odd_pair_that_fits_is_made_anew(name: str, role: str) -> None:
    store, hooks, clock = settled_now()
    shown = leaf(store)
    certificate, key = odd.pairs()[name]
    write(store, **{f"{role}.crt": certificate, f"{role}.key": key})

    mended(store, hooks, clock, shown, name)

    clock.move(hours=25)
    settle(store, hooks, clock)
    assert certificate not in store.data.values()


def test_a_ca_that_openssl_made_with_its_own_defaults_does_not_sign_for_ever() -> None:
    """P-256, and no key usage: what it signs is not accepted, so issuing again does not help."""
    store, hooks, clock = settled_now()
    key = odd.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    write(store, **{"ca.crt": odd.self_signed(key), "ca.key": key})

    (first, *_) = settle(store, hooks, clock)

    assert first is Step.NEW_AUTHORITY


def flips(text: bytes, label: str, count: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield a text with one byte of its DER changed: all places in turn, from any first one."""
    der, first = odd.unarmoured(text), rng.randrange(10_000)
    for number in range(count):
        place = (first + number) % len(der)
        mask = rng.randrange(1, 256)
        changed = bytearray(der)
        changed[place] ^= mask
        yield f"byte {place} ^ {mask:#x}", odd.armoured(bytes(changed), label)


@pytest.mark.parametrize("file", ["ca.crt", "tls.crt", "ca.key", "tls.key"])
def test_whichever_byte_of_it_changed_it_is_made_anew(file: str, seed: int) -> None:
    start, hooks, clock = settled()
    label = "PRIVATE KEY" if file.endswith(".key") else "CERTIFICATE"
    for how, text in flips(start.data[file], label, scaled(300), random.Random(seed)):  # noqa: S311  # moments, not secrets
        store, held, now = Memory(start.data), Hooks(hooks.now), Clock(clock.now)
        write(store, **{file: text})
        seen = observe(store.data, held.bundles())
        mended(store, held, now, leaf(start), f"{how} of {file}")
        if store.data[file] == text:
            assert file.endswith(".key"), how
            assert file not in seen.broken, "a key that signs as the old one did"


def test_check_tells_of_everything_that_is_odd_and_says_what_run_would_do(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    store, hooks = Memory(), Hooks(())
    list(rotator(store, hooks).steps(lambda: now))
    (tmp_path / "good").mkdir()
    assert check(tmp_path / "good", store.data) == 0
    cases = [(name, file, text) for name, file, text in odd_certificates(store) if file != "old-ca.crt"]  # fmt: skip
    cases += [
        (name, file, key) for file in ("ca.key", "tls.key") for name, key in odd.keys().items()
    ]
    for number, (name, file, text) in enumerate(cases):
        if (name in odd.ACCEPTED and file != "next-ca.crt") or not text.strip():
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        assert check(folder, {**store.data, file: text}) == 1, f"{name} in {file}"


class Written:
    """Hooks that hold a caBundle as text, as the API server has it."""

    def __init__(self, *texts: bytes) -> None:
        self.texts = list(texts)

    def bundles(self) -> tuple[Bundle, ...]:
        return tuple(map(pem.bundle, self.texts))

    def publish(self, wanted: Wanted) -> None:
        encode = serialization.Encoding.PEM
        self.texts = [
            b"".join(ca.public_bytes(encode) for ca in wanted(held)) for held in self.bundles()
        ]


def test_whatever_is_in_a_bundle_is_replaced_there_and_found_nowhere_else() -> None:
    store, _, clock = settled()
    ours = store.data["ca.crt"]
    for name, file, text in odd_certificates(store):
        beside = (text + ours, ours + text) if b"-----BEGIN" in text else ()
        for bundle in (text, *beside):
            if file != "ca.crt" or set(bundle.split()) == set(ours.split()):
                continue  # it is another file's, or the same certificate again
            written = Written(ours, bundle, ours)
            one = Rotator(store=store, hooks=written, hosts=HOSTS)
            steps = [plan.step for plan in one.steps(clock)]
            assert steps == [Step.PUBLISH, Step.NOTHING], name
            assert written.texts == [ours] * 3, name


def test_a_foreign_ca_stays_a_day_in_the_hook_that_trusts_it_and_goes_to_no_other() -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    foreign = issue.authority(START).certificate
    ended = issue.authority(START - dt.timedelta(days=6 * 365)).certificate
    hooks.now[1] = (foreign, ended)

    settle(store, hooks, clock)

    ours = pem.certificate(store.data["ca.crt"])
    assert [set(held or ()) for held in hooks.now] == [{ours}, {ours, foreign}, {ours}, {ours}]
    clock.move(hours=25)
    assert settle(store, hooks, clock) == [Step.PUBLISH, Step.NOTHING]
    assert hooks.now == [(ours,)] * 4


def test_what_of_a_bundle_can_be_read_stays_while_the_secret_is_lost() -> None:
    """The servers still show a leaf of a CA that only the caBundle remembers."""
    store, _, clock = settled()
    shown, old = leaf(store), store.data["ca.crt"]
    (broken, _) = odd.pairs()["SM2"]
    written = Written(broken + old, old + old[:80], b"text\n" + old)
    one = Rotator(store=Memory(), hooks=written, hosts=HOSTS)

    for _ in range(3):
        list(one.steps(clock))
        for held in written.bundles():
            assert held.whole
            assert accepted(shown, held.certificates, clock.now)
        clock.now += MINUTE


MARKS: dict[str, Callable[[str, dt.datetime], object]] = {
    "a second ahead": lambda ca, now: {ca: (now + dt.timedelta(seconds=1)).isoformat()},
    "a year ahead": lambda ca, now: {ca: (now + dt.timedelta(days=365)).isoformat()},
    "the last moment there is": lambda ca, _: {ca: "9999-12-31T23:59:59+00:00"},
    "the last moment, west": lambda ca, _: {ca: "9999-12-31T23:59:59-23:00"},
    "no zone": lambda ca, _: {ca: "2026-01-01T00:00:00"},
    "a number": lambda ca, _: {ca: 1},
    "another CA's": lambda _, now: {"00": now.isoformat()},
    "a list": lambda *_: [],
    "null": lambda *_: None,
}


@pytest.mark.parametrize("how", MARKS)
def test_a_mark_of_the_future_or_of_no_time_counts_as_none(how: str) -> None:
    store, hooks, clock = due_for_a_new_ca()
    while step(store, hooks, clock) is not Step.MARK:
        pass
    clock.now += MINUTE
    (ca,) = json.loads(store.data["published"])
    write(store, published=json.dumps(MARKS[how](ca, clock.now)).encode())

    assert [plan.step for plan in rotator(store, hooks).steps(clock)] == [Step.MARK, Step.WAIT]
    assert json.loads(store.data["published"]) == {ca: clock.now.isoformat()}


@pytest.mark.parametrize("text", [b"[" * 60_000, b"9" * 60_000, b"\xff", b"{" + b" " * (2 << 20) + b"}", b"NaN"])  # fmt: skip
def test_marks_that_cannot_be_read_count_as_none(text: bytes) -> None:
    assert observe({"published": text}, ()).published == {}


def test_a_mark_of_the_beginning_of_time_lets_the_leaf_be_issued() -> None:
    store, hooks, clock = due_for_a_new_ca()
    while step(store, hooks, clock) is not Step.MARK:
        pass
    (ca,) = json.loads(store.data["published"])
    write(store, published=json.dumps({ca: "0001-01-01T00:00:00+14:00"}).encode())

    assert step(store, hooks, clock) is Step.ISSUE


LOSSES: dict[str, Callable[[Data], Data]] = {
    "the CA's key is of secp112r1": lambda data: {**data, "ca.key": odd.pairs()["secp112r1"][1]},
    "the CA is of SM2": lambda data: {**data, "ca.crt": odd.pairs()["SM2"][0]},
    "the leaf is of SM2": lambda data: {**data, "tls.crt": odd.pairs()["SM2"][0]},
    "the leaf's key is encrypted": lambda data: {**data, "tls.key": odd.keys()["encrypted, SEC 1"]},
    "the next CA is of Ed448": lambda data: {**data, "next-ca.crt": odd.pairs()["Ed448"][0]},
    "the next CA's key is gone": lambda data: {**data, "next-ca.key": b""},
    "the old CA is of secp112r1": lambda data: {**data, "old-ca.crt": odd.pairs()["secp112r1"][0]},
    "all of it is of secp112r1": lambda data: dict.fromkeys(data, odd.pairs()["secp112r1"][0]),
}


@pytest.mark.parametrize("how", LOSSES)
@pytest.mark.parametrize("done", [Step.NOTHING, Step.NEXT_AUTHORITY, Step.PUBLISH, Step.MARK, Step.ISSUE])  # fmt: skip
def test_broken_at_any_point_of_a_rotation_no_call_fails(how: str, done: Step) -> None:
    store, hooks, clock = settled() if done is Step.NOTHING else due_for_a_new_ca()
    while step(store, hooks, clock) is not done:
        clock.now += MINUTE
    shown = leaf(store)
    write(store, **LOSSES[how](store.data))

    no_call_fails(store, hooks, clock, dt.timedelta(minutes=12), dt.timedelta(seconds=20), shown)

    assert settle(store, hooks, clock)[-1] is Step.NOTHING
    assert observe(store.data, ()).broken == {}


def test_a_panic_of_the_library_is_broken_and_an_interrupt_is_not() -> None:
    panic = type("PanicException", (BaseException,), {})  # pyo3's is of no module

    with pytest.raises(BrokenError, match=r"^is odd \(panic\)$"), pem.boundary("is odd"):
        raise panic
    with pytest.raises(KeyboardInterrupt), pem.boundary("is odd"):
        raise KeyboardInterrupt
