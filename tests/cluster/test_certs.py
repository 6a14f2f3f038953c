"""Certificates in a Secret, caBundles and the Lease, against the real API server."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from certs import issue, pem
from certs.inject import Configurations
from certs.kube import ApiError, Kube
from certs.lease import SECONDS, Lease
from certs.renewal import Step
from certs.rotate import Rotator, observe
from certs.store import KEYS, ConflictError, SecretStore, StoreError
from tests.certs import odd
from tests.certs.scene import HOSTS
from tests.cluster.controlplane.plane import ControlPlane
from tests.cluster.controlplane.processes import until
from tests.cluster.load import Load
from tests.cluster.test_chart_applied import wipe_bundles
from tests.conftest import ROOT
from tests.serving import Server

SECRETS = "/api/v1/namespaces/kube-system/secrets"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def configuration() -> dict[str, Any]:
    """Two hooks without a caBundle, as the chart renders them."""
    hooks = [
        {
            "name": f"{name}.guard.example.com",
            "clientConfig": {
                "service": {"name": "guard", "namespace": "kube-system", "path": "/validate"}
            },
            "rules": [
                {
                    "apiGroups": ["none.example.com"],
                    "apiVersions": ["v1"],
                    "resources": ["x"],
                    "operations": ["CREATE"],
                }
            ],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        for name in ("first", "second")
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "guard-certs", "labels": {"kept": "yes"}},
        "webhooks": hooks,
    }


@pytest.fixture
def installed(api_server: ControlPlane) -> Iterator[ControlPlane]:
    """The empty Secret, the empty Lease and the hooks, as the chart renders them."""
    api_server.raw(
        "POST", SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "guard-tls"}}
    )
    api_server.raw("POST", HOOKS, configuration())
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "guard"}}
    api_server.raw("POST", LEASE, lease)
    yield api_server
    for path in (f"{SECRETS}/guard-tls", f"{HOOKS}/guard-certs", f"{LEASE}/guard"):
        api_server.raw("DELETE", path)


def rotator(plane: ControlPlane, configuration: str = "guard-certs") -> Rotator:
    kube = Kube(plane.kubeconfig)
    return Rotator(
        store=SecretStore(kube, "kube-system", "guard-tls"),
        hooks=Configurations(kube, configuration),
        hosts=(*HOSTS, "127.0.0.1"),
    )


def secret(plane: ControlPlane) -> dict[str, bytes]:
    data = plane.raw("GET", f"{SECRETS}/guard-tls").json().get("data") or {}
    return {name: base64.b64decode(value) for name, value in data.items()}


def write(plane: ControlPlane, **files: bytes) -> None:
    """Write files of the Secret as somebody else; `ca_crt` is ca.crt."""
    encoded = {
        name.replace("_", "."): base64.b64encode(text).decode() for name, text in files.items()
    }
    merge = "application/merge-patch+json"
    assert plane.raw("PATCH", f"{SECRETS}/guard-tls", {"data": encoded}, merge).status == 200


def certs(plane: ControlPlane, verb: str, *arguments: str) -> list[str]:
    """Return the command line of hybrid-certs for the Secret."""
    return [
        sys.executable, "-m", "certs", verb, "--namespace", "kube-system", "--secret", "guard-tls",
        "--kubeconfig", str(plane.kubeconfig), "--host", "127.0.0.1", *arguments,
    ]  # fmt: skip


def check(plane: ControlPlane, *arguments: str) -> tuple[int, str]:
    """Run `hybrid-certs check`; return its status and what it prints."""
    command = certs(plane, "check", *arguments)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "PRIVATE KEY" not in done.stdout
    return done.returncode, done.stdout


def bundles(plane: ControlPlane) -> list[str | None]:
    hooks = plane.raw("GET", f"{HOOKS}/guard-certs").json()["webhooks"]
    return [hook["clientConfig"].get("caBundle") for hook in hooks]


def test_the_secret_is_filled_and_both_hooks_trust_its_ca(installed: ControlPlane) -> None:
    steps = [plan.step for plan in rotator(installed).steps(now)]

    assert steps == [Step.NEW_AUTHORITY, Step.PUBLISH, Step.ISSUE, Step.NOTHING]
    data = installed.raw("GET", f"{SECRETS}/guard-tls").json()["data"]
    assert set(data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
    assert bundles(installed) == [data["ca.crt"], data["ca.crt"]]
    stored = installed.raw("GET", f"{HOOKS}/guard-certs").json()
    assert stored["metadata"]["labels"] == {"kept": "yes"}


def test_a_wiped_ca_bundle_is_put_back_and_nothing_else_is_touched(installed: ControlPlane) -> None:
    list(rotator(installed).steps(now))
    right = bundles(installed)

    def wipe_one(stored: dict[str, Any]) -> None:
        del stored["webhooks"][1]["clientConfig"]["caBundle"]

    assert installed.update(f"{HOOKS}/guard-certs", wipe_one).status == 200
    assert bundles(installed) == [right[0], None]

    steps = [plan.step for plan in rotator(installed).steps(now)]

    assert steps == [Step.PUBLISH, Step.NOTHING]
    assert bundles(installed) == right


def test_a_write_of_an_old_version_is_refused_and_looked_at_again(installed: ControlPlane) -> None:
    store = SecretStore(Kube(installed.kubeconfig), "kube-system", "guard-tls")
    was = store.read()
    store.write({"published": b"1"}, was.version)

    with pytest.raises(ConflictError):
        store.write({"published": b"2"}, was.version)
    assert store.read().data == {"published": b"1"}


def test_two_rotators_fifty_times_on_one_secret_make_one_ca(installed: ControlPlane) -> None:
    pair = [rotator(installed) for _ in range(2)]
    for _ in range(50):
        emptied = {"data": dict.fromkeys(KEYS)}
        merge = "application/merge-patch+json"
        assert installed.raw("PATCH", f"{SECRETS}/guard-tls", emptied, merge).status == 200
        assert installed.update(f"{HOOKS}/guard-certs", wipe_bundles).status == 200
        ends: list[Step] = []
        start = threading.Barrier(2)

        def work(one: Rotator, start: threading.Barrier = start, ends: list[Step] = ends) -> None:
            start.wait(30)
            ends.extend([plan.step for plan in one.steps(now)][-1:])

        threads = [threading.Thread(target=work, args=(one,)) for one in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert ends == [Step.NOTHING, Step.NOTHING]
        data = installed.raw("GET", f"{SECRETS}/guard-tls").json()["data"]
        seen = observe({key: base64.b64decode(value) for key, value in data.items()}, ())
        assert seen.broken == {}
        assert bundles(installed) == [data["ca.crt"]] * 2


class Mounted:
    """A server that reads what a kubelet would mount of the Secret, and both its hooks."""

    def __init__(self, plane: ControlPlane, server: Server) -> None:
        self.plane, self.server = plane, server
        self._pair = (b"", b"")

    def probe(self) -> None:
        """Connect as the kubelet's probes do, which verify nothing; the server looks at its files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = (self.server.host, self.server.port)
        with socket.create_connection(address, 30) as raw, context.wrap_socket(raw):
            pass

    def mount(self) -> None:
        """Write the pair of the Secret where the server reads it, if it has changed."""
        data = secret(self.plane)
        pair = data["tls.crt"], data["tls.key"]
        if pair != self._pair:
            self._pair = pair
            self.server.write_pair(issue.Pair(*pair, b""))

    def loaded(self, after: int) -> bool:
        """Look at the Secret again; tell whether a new pair serves."""
        self.mount()
        self.probe()
        return any(line["event"] == "certificate-loaded" for line in self.server.lines[after:])


@pytest.fixture
def mounted(installed: ControlPlane) -> Iterator[Mounted]:
    list(rotator(installed, "none").steps(now))
    server = Server("--network", "bgp")
    mounted = Mounted(installed, server)
    mounted.mount()
    with server:
        installed.register_guard(server.url, secret(installed)["ca.crt"], failure_policy="Fail")
        yield mounted
        installed.unregister_guard()


def test_a_key_and_a_certificate_that_nobody_reads_are_repaired_and_no_write_fails(
    installed: ControlPlane, mounted: Mounted
) -> None:
    """For a minute the CA and the leaf are gone, and the server keeps what it has."""
    here = ("--configuration", "hybrid-guard")
    (sm2, _), (_, secp112r1) = odd.pairs()["SM2"], odd.pairs()["secp112r1"]
    with Load(installed) as load:
        load_state = lambda: f"{load.count} writes\n" + "".join(mounted.server.text[-5:])  # noqa: E731  # read where it is used
        write(installed, tls_crt=sm2, ca_key=secp112r1)
        mounted.mount()
        lines = len(mounted.server.lines)
        status, told = check(installed, *here)
        assert status == 1
        assert "ca.key cannot be read" in told
        assert "tls.crt cannot be read" in told
        assert "`hybrid-certs run` would make a CA" in told
        command = certs(installed, "run", "--interval", "0.5", *here)
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
            try:
                until(lambda: mounted.loaded(lines), "the new leaf to serve", 150, load_state)
                begun = load.count
                until(lambda: load.count > begun + 20, "writes that call it", 60, load_state)
            finally:
                running.terminate()
                _, steps = running.communicate(timeout=30)
    assert load.count > 100
    assert load.failed == []
    assert "Traceback" not in steps
    said = [json.loads(line) for line in steps.splitlines()]
    assert {line["event"] for line in said} == {"step"}
    assert list(dict.fromkeys(line["step"] for line in said)) == [
        "make a CA", "publish the CAs", "note when the CA was published",
        "wait until every API server knows the CA", "issue the leaf",
    ]  # fmt: skip
    assert observe(secret(installed), ()).broken == {}
    assert check(installed, *here)[0] == 0


ODD = sorted({*odd.CURVES, *odd.OTHERS})


def test_every_odd_pair_in_the_secret_is_repaired(installed: ControlPlane) -> None:
    """At once: with no hook to wait for and no leaf that can be read, nobody trusts anything."""
    for name in ODD:
        certificate, key = odd.pairs()[name]
        write(installed, **dict.fromkeys(("ca_crt", "tls_crt"), certificate), **dict.fromkeys(("ca_key", "tls_key"), key))  # fmt: skip
        for plan in rotator(installed, "none").steps(lambda: now() + dt.timedelta(minutes=1)):
            if plan.step is Step.WAIT:
                break
        assert observe(secret(installed), ()).current is not None, name
        assert certificate != secret(installed)["ca.crt"]


def test_a_foreign_ca_in_one_bundle_stays_there_and_what_is_broken_goes(
    installed: ControlPlane,
) -> None:
    list(rotator(installed).steps(now))
    (ours,) = set(bundles(installed))
    assert ours is not None
    own = base64.b64decode(ours)
    foreign = issue.authority(now()).pem
    (sm2, _) = odd.pairs()["SM2"]
    for first, second in ((foreign, own), (sm2 + foreign, own), (own, foreign + own + sm2)):
        stored = installed.raw("GET", f"{HOOKS}/guard-certs").json()
        for hook, text in zip(stored["webhooks"], (first, second), strict=True):
            hook["clientConfig"]["caBundle"] = base64.b64encode(text).decode()
        assert installed.raw("PUT", f"{HOOKS}/guard-certs", stored).status == 200
        list(rotator(installed).steps(now))
        found = [pem.bundle(base64.b64decode(text or "")) for text in bundles(installed)]
        certificates = [set(held.certificates) for held in found]
        expected = [{pem.certificate(own)}, {pem.certificate(own)}]
        expected[0 if first != own else 1].add(pem.certificate(foreign))
        assert certificates == expected
        assert all(held.whole for held in found)


def test_check_says_that_there_are_no_hooks_and_what_run_would_do(installed: ControlPlane) -> None:
    status, told = check(installed, "--configuration", "none")
    assert status == 1
    first, second, *_ = told.splitlines()
    assert first.startswith("no hooks at all: ")
    assert "named none" in first
    assert second == "`hybrid-certs run` would make a CA: there is no valid CA"

    list(rotator(installed).steps(now))
    status, told = check(installed, "--configuration", "none", "--json")
    assert status == 1
    assert json.loads(told)["fresh"] is False
    assert json.loads(told)["wrong"] == [first]
    hosts = [argument for host in HOSTS for argument in ("--host", host)]
    status, told = check(installed, "--configuration", "guard-certs", *hosts)
    assert status == 1
    assert "2 hooks, 1 CAs trusted" in told


def test_a_missing_secret_says_who_makes_it(installed: ControlPlane) -> None:
    with pytest.raises(StoreError, match="kube-system/none does not exist: the chart makes it"):
        SecretStore(Kube(installed.kubeconfig), "kube-system", "none").read()


def test_configurations_that_do_not_exist_have_no_hooks(installed: ControlPlane) -> None:
    assert Configurations(Kube(installed.kubeconfig), "none").bundles() == ()


def test_one_candidate_holds_the_lease_until_it_is_silent_or_gives_it_back(
    installed: ControlPlane,
) -> None:
    kube, seconds = Kube(installed.kubeconfig), [0.0]
    first, second = (
        Lease(kube, f"{LEASE}/guard", name, clock=lambda: seconds[0])
        for name in ("first", "second")
    )

    assert first.held()
    assert not second.held()
    seconds[0] += SECONDS - 1
    assert first.held(), "renewed"
    seconds[0] += SECONDS - 1
    assert not second.held(), "it saw a renewal in between"
    seconds[0] += SECONDS + 1
    assert second.held(), "the first was silent"
    assert not first.held()
    second.release()
    assert first.held()
    spec = installed.raw("GET", f"{LEASE}/guard").json()["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("first", 3)


def test_a_refusal_is_an_error_with_its_status(installed: ControlPlane) -> None:
    nobody = Kube(installed.client("nobody").kubeconfig)

    with pytest.raises(ApiError) as raised:
        nobody.get(f"{SECRETS}/guard-tls")
    assert raised.value.status == 403
