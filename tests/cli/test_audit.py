"""`hybrid-guard audit` over files, folders and standard input, as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_cli import run
from tests.conftest import ROOT
from webhook.cli.progress import Interruptible

POLICY = """\
apiVersion: hybrid-guard.io/v1alpha1
kind: Policy
network: bgp
rules:
- {name: home, match: {names: ["home-*"]}, placement: on-prem}
"""


def deployment(name: str, **metadata: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx:1.27"}]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": {"selector": {"matchLabels": {"a": name}}, "template": {"metadata": {"labels": {"a": name}}, "spec": {"containers": containers}}},
    }  # fmt: skip


def owned(kind: str, api_version: str, by: str) -> dict[str, Any]:
    obj = deployment(f"home-{kind}")
    owner = {
        "apiVersion": by.rpartition(" ")[0],
        "kind": by.rpartition(" ")[2],
        "name": "x",
        "uid": "1",
        "controller": True,
    }
    obj |= {"apiVersion": api_version, "kind": kind}
    obj["metadata"]["ownerReferences"] = [owner]
    if kind == "Pod":
        obj["spec"] = obj["spec"]["template"]["spec"]
    return obj


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy" / "policy"
    file.parent.mkdir()
    file.write_text(POLICY)
    return file


def audit(policy: Path, *arguments: Any, stdin: str = "") -> tuple[dict[str, Any], Any]:
    done = run("audit", "--policy", policy, "--format", "json", *arguments, stdin=stdin)
    return json.loads(done.stdout), done


def names(document: dict[str, Any]) -> list[str]:
    return [row["object"]["name"] for row in document["workloads"]]


def test_a_folder_is_walked_and_what_is_skipped_is_told(tmp_path: Path, policy: Path) -> None:
    folder = tmp_path / "manifests"
    for path, text in {
        "a.yaml": yaml.safe_dump(deployment("a")),
        "b/c.yml": yaml.safe_dump(deployment("c")),
        "b/d.json": json.dumps(deployment("d")),
        "README.md": "# no manifest",
        "mkdocs.yaml": "site_name: x\n",
        ".git/e.yaml": yaml.safe_dump(deployment("hidden")),
        "chart/Chart.yaml": "apiVersion: v2\nname: x\n",
        "chart/values.yaml": "replicas: 1\n",
        "chart/templates/f.yaml": "{{ if .Values.x }}\n",
        "chart/crds/g.yaml": yaml.safe_dump(deployment("g")),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.yaml")

    document, done = audit(policy, folder)
    _, talkative = audit(policy, "-v", folder)

    assert names(document) == ["a", "c", "d", "g"]
    assert "note: skipped " in done.stderr
    told = talkative.stderr.splitlines()
    for words in (
        f"skipped {folder}/README.md: not .yaml, .yml, .json",
        f"skipped {folder}/.git: hidden",
        f"skipped {folder}/loop: a link to a folder",
        f"skipped {folder}/pipe.yaml: not a file",
        f"skipped {folder}/mkdocs.yaml:1: an object has no apiVersion",
        f"skipped {folder}/chart/Chart.yaml: a chart's own description",
        f"skipped {folder}/chart/values.yaml:1: an object has no apiVersion",
        f"skipped {folder}/chart/templates: a chart's templates: audit what `helm template {folder}/chart` prints",
    ):
        assert words in told
    assert not any("hidden.yaml" in line for line in told)


def test_a_broken_document_spoils_no_other(tmp_path: Path, policy: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        "---\n".join(
            (
                yaml.safe_dump(deployment("a")),
                "a: [1\n",
                "kind: x\n",
                yaml.safe_dump(deployment("home-b")),
            )
        )
    )

    document, done = audit(policy, file)

    assert done.returncode == 2
    assert names(document) == ["a", "home-b"]
    assert [finding["rule"] for finding in document["findings"]] == ["HG101"]
    assert f"{file}:20:1: not YAML" in done.stderr
    assert f"{file}:21:1: an object has no apiVersion" in done.stderr


def test_the_label_of_a_namespace_counts_wherever_it_stands(tmp_path: Path, policy: Path) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"hybrid-guard.io/placement": "cloud"}},
    }
    stream = yaml.safe_dump_all([deployment("a"), namespace])
    for name, obj in (("a.yaml", deployment("a")), ("z.yaml", namespace)):
        (tmp_path / name).write_text(yaml.safe_dump(obj, explicit_start=True))
    piped, _ = audit(policy, "-", stdin=stream)
    in_files, _ = audit(policy, tmp_path / "a.yaml", tmp_path / "z.yaml")
    process = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m webhook audit --policy {policy} --format json <(cat {tmp_path}/*.yaml)"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    for document in (piped, in_files, json.loads(process.stdout)):
        assert [row["placement"] for row in document["workloads"]] == ["cloud"]
        assert [finding["rule"] for finding in document["findings"]] == ["HG102"]


@pytest.mark.parametrize(
    ("obj", "is_judged"),
    [
        (owned("ReplicaSet", "apps/v1", "apps/v1 Deployment"), False),
        (owned("ReplicaSet", "apps/v1", "argoproj.io/v1alpha1 Rollout"), False),
        (owned("ReplicaSet", "apps/v1", "example.com/v1 Deployment"), True),
        (owned("ReplicaSet", "extensions/v1beta1", "extensions/v1beta1 Deployment"), False),
        (owned("ReplicationController", "v1", "apps.openshift.io/v1 DeploymentConfig"), False),
        (owned("ReplicationController", "v1", "apps/v1 Deployment"), True),
        (owned("Pod", "v1", "apps/v1 ReplicaSet"), False),
        (owned("Pod", "v1", "apps.kruise.io/v1alpha1 CloneSet"), False),
        (owned("Pod", "v1", "apps/v1 Deployment"), True),
        (owned("Pod", "v1", "v1 Node"), True),
        (owned("Job", "batch/v1", "batch/v1 CronJob"), False),
        (owned("Job", "batch/v1", "apps/v1 Deployment"), True),
        (owned("Deployment", "apps/v1", "apps/v1 Deployment"), True),
        (owned("DaemonSet", "apps/v1", "batch/v1 CronJob"), True),
        (owned("StatefulSet", "apps/v1", "apps/v1 StatefulSet"), True),
        (deployment("home-a", deletionTimestamp="2026-01-01T00:00:00Z"), False),
        ({**owned("Pod", "v1", "v1 Node"), "spec": {"nodeName": "n1"}}, False),
        (deployment("home-a", ownerReferences=[{"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "1"}]), True),
        (deployment("home-a", ownerReferences="x"), True),
    ],
    ids=["ReplicaSet", "ReplicaSet of Argo", "ReplicaSet of another group", "old ReplicaSet", "RC of OpenShift", "RC of another kind",
         "Pod", "Pod of OpenKruise", "Pod of another kind", "Pod of a node", "Job", "Job of another kind", "Deployment", "DaemonSet", "StatefulSet",
         "deleted", "bound Pod", "no controller", "odd owners"],
)  # fmt: skip
def test_owners_are_judged_and_not_what_they_make(
    policy: Path,
    obj: dict[str, Any],
    is_judged: bool,  # noqa: FBT001  # a table
) -> None:
    document, done = audit(policy, stdin=json.dumps(obj))

    assert len(document["workloads"]) == is_judged
    assert document["summary"]["otherObjects"] == (not is_judged)
    assert done.returncode == is_judged


def test_standard_input_is_read_where_something_is_piped_in_and_asked_for_on_a_terminal() -> None:
    piped = run("audit", "--network", "bgp", stdin=json.dumps(deployment("a")))
    controller, terminal = pty.openpty()
    asked = subprocess.run(
        [sys.executable, "-m", "webhook", "audit", "--network", "bgp"],
        cwd=ROOT, stdin=terminal, capture_output=True, text=True, check=False,
    )  # fmt: skip
    os.close(controller)
    os.close(terminal)

    assert (piped.returncode, piped.stdout) == (
        0,
        "1 workload, 0 other objects: 0 errors, 0 warnings, 0 notes\n",
    )
    assert asked.returncode == 2
    assert "name files or folders, or - for standard input" in asked.stderr


def interrupted(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    """Status, document and words of an audit that is interrupted in the middle of its workloads."""
    process = subprocess.Popen(
        [sys.executable, "-m", "webhook", "audit", "--format", "json", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdout
    head = b""
    while len(head) < 2000:  # all of it does not fit into the pipe: it is in the middle
        head += process.stdout.read(2000)
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=60)
    return process.returncode, json.loads(head + rest), told.decode()


def test_an_interrupted_run_gives_what_it_found(tmp_path: Path, policy: Path) -> None:
    file = tmp_path / "many.json"
    one = json.dumps(deployment("home-a"))
    file.write_text("\n".join([one] * 20_000))

    status, document, told = interrupted("--policy", policy, file)

    assert status == 130
    assert 0 < len(document["workloads"]) < 20_000
    assert len(document["workloads"]) == len(document["findings"]) == document["summary"]["errors"]
    assert document["summary"]["complete"] is False
    assert "interrupted: the report holds what was found up to there" in told


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_ends_the_input_and_the_second_the_program() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []
    with pytest.raises(KeyboardInterrupt), Interruptible(iter(range(10))) as some:  # noqa: PT012  # the block is what is tested
        for number in some:
            seen.append(number)
            if number == 3:
                interrupt()
        stopped = some.stopped
        interrupt()

    assert (seen, stopped) == ([0, 1, 2, 3], True)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_source_that_waits_is_interrupted() -> None:
    def waiting() -> Iterator[int]:
        yield 1
        interrupt()
        yield 2

    with Interruptible(waiting()) as some:
        assert (list(some), some.stopped) == ([1], True)


def test_after_the_end_an_interrupt_ends_the_program() -> None:
    with pytest.raises(KeyboardInterrupt), Interruptible(iter("ab")) as some:  # noqa: PT012  # the block is what is tested
        assert (list(some), some.stopped) == (["a", "b"], False)
        interrupt()


def test_a_terminal_sees_how_far_it_is_and_a_log_does_not(tmp_path: Path, policy: Path) -> None:
    file = tmp_path / "many.json"
    file.write_text("\n".join([json.dumps(deployment("a"))] * 20_000))
    controller, terminal = pty.openpty()
    command: list[str | Path] = [sys.executable, "-m", "webhook", "audit", "--policy", policy, file]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    seen = b""
    while True:
        try:
            seen += os.read(controller, 65536)
        except OSError:  # the other end is closed
            break
    out, _ = process.communicate()
    os.close(controller)
    quiet = run("audit", "--policy", policy, file)

    lines = seen.decode().split("\r\x1b[K")
    assert re.fullmatch(r"[\d,]+ objects, \d+%, (\d+ min )?\d+ s left", lines[1]), lines[:3]
    assert lines[-1] == "", "the line is gone at the end"
    assert out == quiet.stdout.encode()
    assert quiet.stderr == ""


def in_file(
    kind: str, uid: str, *, by: str = "", labels: str = "a", name: str = "x"
) -> dict[str, Any]:
    """A Deployment x, or what claims to be its own."""
    obj = deployment(name)
    obj["kind"] = kind
    obj["metadata"] |= {"uid": uid, "labels": {"a": labels}}
    if by:
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": by}
        obj["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return obj


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([in_file("Deployment", "1"), in_file("ReplicaSet", "2", by="1", labels="x")], None),
        ([in_file("ReplicaSet", "2", by="1", labels="x"), in_file("Deployment", "1")], None),
        ([in_file("ReplicaSet", "2", by="1", labels="x")], None),
        ([in_file("Deployment", ""), in_file("ReplicaSet", "2", by="1", labels="x")], None),
        ([in_file("Deployment", "1"), in_file("Deployment", "3"), in_file("ReplicaSet", "2", by="3", labels="x")], None),
        ([in_file("Deployment", "1"), in_file("ReplicaSet", "2", by="3", labels="x")], "has another uid"),
        ([in_file("ReplicaSet", "2", by="3", labels="x"), in_file("Deployment", "1")], "has another uid"),
        ([in_file("Deployment", "1"), in_file("ReplicaSet", "2", by="1", labels="y")], "does not select its labels"),
        ([in_file("Deployment", "1", name="z"), in_file("ReplicaSet", "2", by="3", labels="x")], None),
    ],
    ids=["owner first", "owner last", "no owner", "an owner that was never stored", "two clusters",
         "another uid", "another uid, owner last", "another selector", "another name"],
)  # fmt: skip
def test_an_owner_in_the_input_refutes_what_claims_it(
    policy: Path, objects: list[dict[str, Any]], why: str | None
) -> None:
    text = yaml.safe_dump_all(objects)
    document, done = audit(policy, stdin=text)

    told = [one for one in document["findings"] if one["rule"] == "HG207"]
    assert [one["message"].partition(", which ")[2].partition(":")[0] for one in told] == (
        [why] if why else []
    )
    assert done.returncode == (why is not None)
    for one in told:
        line = 1 + text[: text.index("kind: ReplicaSet")].count("\n")
        assert abs(one["location"]["line"] - line) <= 1
        assert one["location"]["pointer"] == "/metadata/ownerReferences"
