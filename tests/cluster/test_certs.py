"""Certificates in a Secret, caBundles and the Lease, against the real API server."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from certs.inject import Configurations
from certs.kube import ApiError, Kube
from certs.lease import SECONDS, Lease
from certs.renewal import Step
from certs.rotate import Rotator, observe
from certs.store import KEYS, ConflictError, SecretStore, StoreError
from tests.certs.scene import HOSTS
from tests.cluster.controlplane.plane import ControlPlane

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


def rotator(plane: ControlPlane) -> Rotator:
    kube = Kube(plane.kubeconfig)
    return Rotator(
        store=SecretStore(kube, "kube-system", "guard-tls"),
        hooks=Configurations(kube, "guard-certs"),
        hosts=HOSTS,
    )


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
    wiped = installed.raw("GET", f"{HOOKS}/guard-certs").json()
    del wiped["webhooks"][1]["clientConfig"]["caBundle"]
    assert installed.raw("PUT", f"{HOOKS}/guard-certs", wiped).status == 200
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
        assert (
            installed.raw("PUT", f"{HOOKS}/guard-certs", without_bundles(installed)).status == 200
        )
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


def without_bundles(plane: ControlPlane) -> dict[str, Any]:
    stored: dict[str, Any] = plane.raw("GET", f"{HOOKS}/guard-certs").json()
    for hook in stored["webhooks"]:
        hook["clientConfig"].pop("caBundle", None)
    return stored


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
