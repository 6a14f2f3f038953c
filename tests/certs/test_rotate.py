"""Rotation: what is trusted and what is shown fit at every moment, whatever is killed or lost."""

from __future__ import annotations

import datetime as dt
import itertools
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import issue, pem, renewal
from certs.inject import NoHooks
from certs.pem import fingerprint
from certs.renewal import Step
from certs.rotate import Rotator, observe
from certs.store import DirectoryStore
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
)
from tests.conftest import THOROUGH


def test_a_first_installation_takes_three_steps_and_then_none() -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()

    assert settle(store, hooks, clock) == [
        Step.NEW_AUTHORITY,
        Step.PUBLISH,
        Step.ISSUE,
        Step.NOTHING,
    ]
    assert clock.now == START, "nobody has to wait on a first installation"
    assert settle(store, hooks, clock) == [Step.NOTHING]
    assert (store.writes, hooks.published) == (2, 1)
    assert all(bundle is not None and accepted(leaf(store), bundle, START) for bundle in hooks.now)


def test_a_leaf_is_renewed_a_month_before_its_end_by_the_same_ca() -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)
    first, bundle = leaf(store), hooks.now[0]
    clock.move(days=59)
    assert settle(store, hooks, clock) == [Step.NOTHING]
    clock.move(days=1, minutes=1)

    steps = settle(store, hooks, clock)

    assert steps == [Step.MARK, Step.WAIT, Step.ISSUE, Step.NOTHING]
    assert leaf(store) != first
    assert hooks.now[0] == bundle


def test_a_ca_is_published_before_anything_is_signed_with_it_and_the_old_one_stays_a_day() -> None:
    store, hooks, clock = due_for_a_new_ca()
    old = pem.certificate(store.data["ca.crt"])

    steps = settle(store, hooks, clock)

    assert [step for step in steps if step is not Step.MARK] == [
        Step.NEXT_AUTHORITY, Step.PUBLISH, Step.WAIT, Step.ISSUE, Step.NOTHING,
    ]  # fmt: skip
    assert hooks.now[0] is not None
    assert old in hooks.now[0]
    assert len(hooks.now[0]) == 2
    assert leaf(store).issuer != old.subject
    clock.move(hours=23, minutes=58)
    assert settle(store, hooks, clock) == [Step.NOTHING]
    clock.move(minutes=5)
    assert settle(store, hooks, clock) == [Step.DROP, Step.PUBLISH, Step.NOTHING]
    assert hooks.now == [(pem.certificate(store.data["ca.crt"]),)] * 4


def test_the_old_ca_stays_while_a_server_still_shows_its_leaf() -> None:
    store, hooks, clock = due_for_a_new_ca()
    settle(store, hooks, clock)
    clock.move(hours=30)

    (plan,) = rotator(store, hooks, settled=False).steps(clock)

    assert plan.step is Step.NOTHING
    assert "old-ca.crt" in store.data
    assert settle(store, hooks, clock)[0] is Step.DROP


@pytest.mark.parametrize("seconds", [20 if THOROUGH else 50, 80, 440])
def test_killed_after_every_step_no_call_ever_fails(seconds: int) -> None:
    store, hooks, clock = due_for_a_new_ca()

    no_call_fails(store, hooks, clock, dt.timedelta(hours=27), dt.timedelta(seconds=seconds))

    assert settle(store, hooks, clock)[-1] is Step.NOTHING
    assert "old-ca.crt" not in store.data


BREAK: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "the Secret is emptied": lambda _: {},
    "the leaf is gone": lambda data: {k: v for k, v in data.items() if not k.startswith("tls")},
    "the CA's key is truncated": lambda data: {**data, "ca.key": data["ca.key"][:40]},
    "the leaf is truncated": lambda data: {**data, "tls.crt": data["tls.crt"][:40]},
    "key and certificate do not match": lambda data: {
        **data,
        "tls.key": issue.dev_pair(HOSTS, START).key,
    },
    "the CA is another's": lambda data: {**data, "ca.crt": issue.authority(START).pem},
    "two megabytes of PEM": lambda data: {**data, "ca.crt": data["ca.crt"] * 3300},
    "two megabytes of key": lambda data: {**data, "tls.key": b"x" * (2 << 20)},
    "no UTF-8 anywhere": lambda data: dict.fromkeys(data, b"\xff\xfe\x00"),
    "marks of another kind": lambda data: {**data, "published": b'["x"]'},
}


@pytest.mark.parametrize("how", BREAK)
def test_whatever_is_broken_is_mended_and_what_was_shown_stays_trusted(how: str) -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)
    shown = leaf(store)
    clock.move(days=3)
    store.data = BREAK[how](store.data)
    store.version += 1

    for _ in range(30):
        for _plan in itertools.islice(rotator(store, hooks).steps(clock), 2):
            pass
        assert hooks.now[0] is not None
        assert accepted(shown, hooks.now[0], clock.now), "old pods still show the old leaf"
        clock.move(minutes=1)

    assert settle(store, hooks, clock)[-1] is Step.NOTHING
    assert hooks.now[0] is not None
    assert accepted(leaf(store), hooks.now[0], clock.now)
    seen = observe(store.data, hooks.bundles())
    assert (seen.broken, seen.following) == ({}, None)
    clock.move(hours=25)
    settle(store, hooks, clock)
    assert hooks.now[0] == (pem.certificate(store.data["ca.crt"]),)


@pytest.mark.parametrize("wiped", [None, (), (issue.authority(START).certificate,)])
def test_a_wiped_or_foreign_bundle_is_put_right(wiped: tuple[x509.Certificate, ...] | None) -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)
    clock.move(hours=25)
    right = hooks.now[0]
    hooks.now[2] = wiped

    assert settle(store, hooks, clock) == [Step.PUBLISH, Step.NOTHING]
    assert hooks.now == [right] * 4


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_off_changes_nothing(hours: int) -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)

    assert settle(store, hooks, Clock(START + dt.timedelta(hours=hours))) == [Step.NOTHING]
    assert hooks.now[0] is not None
    assert accepted(leaf(store), hooks.now[0], START + dt.timedelta(hours=hours))


def test_another_name_asks_for_another_leaf() -> None:
    store, hooks, clock = Memory(), Hooks(), Clock()
    settle(store, hooks, clock)
    more = Rotator(store=store, hooks=hooks, hosts=(*HOSTS, "new.example.com"))

    assert [plan.step for plan in more.steps(clock)] == [Step.MARK, Step.WAIT]


def test_two_rotators_fifty_times_make_one_ca_and_one_leaf(tmp_path: Path) -> None:
    for number in range(50):
        folder = tmp_path / str(number)
        start = threading.Barrier(2)
        failures: list[BaseException] = []

        def work(
            folder: Path = folder,
            start: threading.Barrier = start,
            failures: list[BaseException] = failures,
        ) -> None:
            try:
                start.wait(30)
                list(
                    Rotator(store=DirectoryStore(folder), hooks=NoHooks(), hosts=HOSTS).steps(
                        Clock()
                    )
                )
            except BaseException as error:  # noqa: BLE001  # told by the test
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        data = DirectoryStore(folder).read().data
        seen = observe(data, ())
        assert renewal.plan(seen, HOSTS, START).step is Step.NOTHING
        assert set(data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
        assert len(list(folder.glob("generation-*"))) == 1


def test_openssl_accepts_every_chain_strictly(tmp_path: Path) -> None:
    store, hooks, clock = due_for_a_new_ca()
    settle(store, hooks, clock)
    assert hooks.now[0] is not None
    bundle, shown = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    bundle.write_bytes(b"".join(ca.public_bytes(Encoding.PEM) for ca in hooks.now[0]))
    shown.write_bytes(store.data["tls.crt"])

    for name in (
        ("-verify_hostname", HOSTS[0]),
        ("-verify_hostname", HOSTS[1]),
        ("-verify_ip", HOSTS[2]),
    ):
        done = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-CAfile", bundle, "-purpose", "sslserver", *name,
             "-attime", str(int(clock.now.timestamp())), shown],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    wrong = subprocess.run(
        ["openssl", "verify", "-CAfile", bundle, "-verify_hostname", "other", shown],
        capture_output=True,
        check=False,
    )
    assert wrong.returncode != 0
    assert fingerprint(hooks.now[0][0]) != fingerprint(hooks.now[0][1])


def test_a_directory_holds_keys_for_its_owner_alone(tmp_path: Path) -> None:
    list(
        Rotator(store=DirectoryStore(tmp_path / "tls"), hooks=NoHooks(), hosts=HOSTS).steps(Clock())
    )

    modes = {
        file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "tls" / "current").iterdir()
    }
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "tls.crt": 0o644, "tls.key": 0o600}
