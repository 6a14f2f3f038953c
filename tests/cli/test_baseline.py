"""--baseline and --write-baseline: known findings pass, new ones fail, and gone ones are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_audit import POLICY, deployment
from tests.cli.test_cli import run

HEAD = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Baseline\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.txt"
    file.write_text(POLICY)
    return file


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return tmp_path / "known.txt"


def write(folder: Path, *names: str, head: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text(
        head + "---\n".join(yaml.safe_dump(deployment(name)) for name in names)
    )
    return folder


def audit(policy: Path, *arguments: Any) -> Any:
    return run("audit", "--policy", policy, *arguments)


def test_what_is_accepted_passes_and_what_is_new_fails(
    tmp_path: Path, policy: Path, known: Path
) -> None:
    folder = write(tmp_path / "m", "home-b", "home-a", "other")

    before = audit(policy, folder)
    written = audit(policy, "--write-baseline", known, folder)
    accepted = audit(policy, "--baseline", known, folder)
    write(tmp_path / "m", "home-b", "home-a", "home-c", head="# lines move\n\n")
    grown = audit(policy, "--baseline", known, "--format", "json", folder)

    assert (before.returncode, written.returncode, accepted.returncode, grown.returncode) == (
        1,
        0,
        0,
        1,
    )
    assert (written.stdout, written.stderr) == ("", f"{known}: 2 findings accepted\n")
    assert (
        accepted.stdout
        == "3 workloads, 0 other objects: 0 errors, 0 warnings, 0 notes, 2 accepted\n"
    )
    document = json.loads(grown.stdout)
    assert [one["object"]["name"] for one in document["findings"]] == ["home-c"]
    assert (document["summary"]["accepted"], document["summary"]["errors"]) == (2, 1)


def test_the_file_is_sorted_and_the_same_each_time(
    tmp_path: Path, policy: Path, known: Path
) -> None:
    for names in (("home-b", "home-a"), ("home-a", "home-b")):
        audit(policy, "--write-baseline", known, write(tmp_path / "m", *names))
        lines = known.read_text().splitlines()
        assert [line.split(", fingerprint")[0] for line in lines[3:]] == [
            "findings:",
            '- {rule: HG101, object: "Deployment/shop/home-a"',
            '- {rule: HG101, object: "Deployment/shop/home-b"',
        ]
    audit(policy, "--write-baseline", known, write(tmp_path / "m", "other"))
    assert known.read_text().splitlines()[3:] == ["findings: []"]
    assert audit(policy, "--baseline", known, tmp_path / "m").returncode == 0


def test_what_is_gone_is_told_and_what_comes_twice_was_accepted_once(
    tmp_path: Path, policy: Path, known: Path
) -> None:
    audit(policy, "--write-baseline", known, write(tmp_path / "m", "home-a", "home-b"))

    gone = audit(policy, "--baseline", known, write(tmp_path / "m", "home-b"))
    twice = audit(policy, "--baseline", known, write(tmp_path / "m", "home-a", "home-b", "home-b"))

    assert gone.returncode == 0
    assert gone.stderr.splitlines() == [
        "note: accepted, and gone: HG101 Deployment/shop/home-a",
        "note: --write-baseline writes the baseline without them",
    ]
    assert (twice.returncode, twice.stdout.count("HG101")) == (1, 1)


def test_nothing_is_written_of_half_an_input(tmp_path: Path, policy: Path, known: Path) -> None:
    folder = write(tmp_path / "m", "home-a")
    (folder / "z.yaml").write_text("a: [1")
    known.write_text("as it was")

    done = audit(policy, "--write-baseline", known, folder)
    half = audit(
        policy, "--write-baseline", tmp_path / "no" / "folder", write(tmp_path / "n", "home-a")
    )

    assert (done.returncode, known.read_text()) == (2, "as it was")
    assert f"{known}: not written, because not everything could be read" in done.stderr
    assert half.returncode == 3
    assert f"{tmp_path}/no/folder: not written: no such file or directory" in half.stderr


def refused(tmp_path: Path, policy: Path, known: Path, text: str) -> str:
    """What is said of a baseline that is refused before anything is audited."""
    known.write_text(text)
    done = audit(policy, "--baseline", known, write(tmp_path / "m", "home-a"))
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Policy\napiVersion: hybrid-guard.io/v1alpha1\n", "known.txt:1:7: kind must be Baseline"),
        ("apiVersion: v1\nkind: Baseline\n", "known.txt:1:13: apiVersion must be hybrid-guard.io/v1alpha1"),
        (HEAD, "known.txt:1:1: findings must be a list"),
        (f"{HEAD}findings: {{}}\n", "known.txt:3:11: findings must be a list"),
        (f"{HEAD}findings:\n- {{fingerprint: ab}}\n- {{rule: HG101}}\n", "known.txt:5:3: an accepted finding has no fingerprint"),
        (f"{HEAD}findings:\n- HG101\n", "known.txt:4:3: an accepted finding has no fingerprint"),
        (f"{HEAD}findings:\n- {{fingerprint: 1}}\n", "known.txt:4:3: an accepted finding has no fingerprint"),
        (f"{HEAD}findings: [\n", "known.txt:4:1: not YAML"),
        ("<<<<<<< HEAD\n", "known.txt:1:1: a document is not a Kubernetes object"),
        ("", "known.txt: a baseline is one document, found 0"),
    ],
    ids=["kind", "version", "none", "no list", "no mark", "a text", "a number", "no YAML", "a merge", "empty"],
)  # fmt: skip
def test_a_broken_baseline_is_told_with_its_line(
    tmp_path: Path, policy: Path, known: Path, text: str, message: str
) -> None:
    assert message in refused(tmp_path, policy, known, text)


def test_a_baseline_is_there_and_is_either_read_or_written(
    tmp_path: Path, policy: Path, known: Path
) -> None:
    missing = audit(policy, "--baseline", known, write(tmp_path / "m", "home-a"))
    both = audit(policy, "--baseline", known, "--write-baseline", known, tmp_path / "m")

    assert (missing.returncode, both.returncode) == (3, 2)
    assert f"{known}: no such file" in missing.stderr


def test_the_json_report_of_an_earlier_run_is_a_baseline(
    tmp_path: Path, policy: Path, known: Path
) -> None:
    folder = write(tmp_path / "m", "home-a", "home-a", "home-b")
    eni = 'data: {eni_conf: \'{"version": "1"}\'}\nmetadata: {name: eni-config, namespace: kube-system}'
    (folder / "eni.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{eni}\n")
    report = json.loads(audit(policy, "--format", "json", folder).stdout)
    known.write_text(json.dumps(report))

    same = audit(policy, "--baseline", known, folder)
    write(tmp_path / "m", "home-a", "home-a", "home-a")
    other = audit(policy, "--baseline", known, "--format", "json", folder)

    accepted = len(report["findings"])
    assert accepted > 3
    assert (same.returncode, same.stderr) == (0, "")
    assert f" 0 errors, 0 warnings, 0 notes, {accepted} accepted\n" in same.stdout
    assert json.loads(other.stdout)["summary"]["accepted"] == accepted - 1
    assert [one["object"]["name"] for one in json.loads(other.stdout)["findings"]] == ["home-a"]
    assert "note: accepted, and gone: HG101 Deployment/shop/home-b\n" in other.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "known.txt: version: version must be 1"),
        ('{"version": 1}', "known.txt: findings: findings must be a list"),
        ('{"version": 1, "findings": [{}]}', "known.txt: findings[0]: this is no finding of a report"),
        ('{"version": 1, "findings": [{"rule": "HG101", "level": "error", "message": 1, "object": null, "location": {"file": null, "pointer": null}}]}', "known.txt: findings[0]: this is no finding"),
    ],
    ids=["another document", "no findings", "no finding", "a number"],
)  # fmt: skip
def test_a_broken_report_is_told(
    tmp_path: Path, policy: Path, known: Path, text: str, message: str
) -> None:
    assert message in refused(tmp_path, policy, known, text)
