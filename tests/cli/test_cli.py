"""The command line as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.admission import worst
from tests.conftest import ROOT
from tests.reviews import patch_of, review

EXAMPLES = ROOT / "examples"
CALICO = str(EXAMPLES / "calico-bgp.yaml")
POLICY = str(EXAMPLES / "policy.yaml")


def run(
    *arguments: str | Path, stdin: str | bytes = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [sys.executable, "-m", "webhook", *map(str, arguments)],
        input=data, capture_output=True, cwd=ROOT, check=False, env={**os.environ, **environ},
    )  # fmt: skip
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def calico() -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "calico-node", "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": []}}}}  # fmt: skip


@pytest.mark.parametrize(
    "verb",
    [
        "serve",
        "review",
        "patch",
        "explain",
        "audit",
        "detect",
        "eni",
        "ram-policy",
        "crds",
        "probe",
        "schema",
        "completion",
    ],
)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = run(verb, "--help")

    assert done.returncode == 0
    assert "Example" in done.stdout
    assert verb in run("--help").stdout


def test_the_help_of_probe_names_each_right_of_the_charts_own_probe() -> None:
    template = (ROOT / "charts/hybrid-guard/templates/tests/probe.yaml").read_text()
    rights = re.findall(
        r"resources: \[(\S+)\], resourceNames: \[(\S+)\], verbs: \[(\w+)\]", template
    )
    text = " ".join(run("probe", "--help").stdout.split())

    assert len(rights) == 3
    for resource, name, verb in rights:
        kind = {"configmaps": "ConfigMap", "daemonsets": "DaemonSet"}.get(resource, resource)
        assert {kind, verb} <= set(text.split()), resource
        assert name.strip('"') in text


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, webhook.cli as c\n"
        "try: c.cli.main(['--help'], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "heavy = {'flask', 'gunicorn', 'pydantic', 'yaml', 'cryptography', 'jsonpatch', 'orjson'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_version_and_schema_print() -> None:
    assert run("--version").stdout.startswith("hybrid-guard 0.")
    assert json.loads(run("schema").stdout)["properties"]["network"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    assert "_HYBRID_GUARD_COMPLETE" in run("completion", shell).stdout


def test_bash_completes_verbs(tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not on this machine")
    (tmp_path / "hybrid-guard").write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    (tmp_path / "hybrid-guard").chmod(0o755)
    script = (
        'eval "$(hybrid-guard completion bash)"; COMP_WORDS=(hybrid-guard ex); COMP_CWORD=1; '
        '_hybrid_guard_completion hybrid-guard; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )

    assert done.stdout.split() == ["explain"]


def test_review_answers_as_the_server_would_and_exits_by_the_verdict() -> None:
    injected = run("review", "--network", "bgp", stdin=json.dumps(review(calico())))
    denied = run(
        "review", "--network", "bgp", "--hook", "validate", stdin=json.dumps(review(calico()))
    )
    placed = run(
        "review", "--network", "host", "--placement", "cloud", stdin=json.dumps(review(calico()))
    )
    neither = run("review", "--network", "bgp", stdin="{}")

    assert (injected.returncode, denied.returncode, placed.returncode, neither.returncode) == (
        0,
        1,
        0,
        2,
    )
    assert patch_of(json.loads(injected.stdout))
    assert not json.loads(denied.stdout)["response"]["allowed"]
    assert '"In"' in json.dumps(patch_of(json.loads(placed.stdout)))
    assert "not an AdmissionReview" in neither.stderr


def test_review_sends_config_maps_to_the_validating_hook() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"eni_conf": "{}"},
                  "metadata": {"name": "eni-config", "namespace": "kube-system"}}  # fmt: skip
    done = run("review", "--network", "bgp", stdin=json.dumps(review(config_map)))

    assert done.returncode == 1
    assert "ENI020" in done.stdout


def test_patch_writes_what_admission_would_store() -> None:
    done = run("patch", "--network", "bgp", CALICO)

    assert done.returncode == 0
    assert done.stdout.count("alibabacloud.com/external") == 1
    assert "# every NoSchedule taint" in done.stdout
    again = run("patch", "--network", "bgp", "-", stdin=done.stdout)
    assert again.stdout == done.stdout
    assert run("patch", "--network", "overlay", CALICO).stdout == Path(CALICO).read_text()


def test_patch_shows_a_diff_and_edits_in_place(tmp_path: Path) -> None:
    target = tmp_path / "calico.yaml"
    shutil.copy(CALICO, target)
    target.chmod(0o640)

    diff = run("patch", "--network", "bgp", "--diff", target)
    edited = run("patch", "--network", "bgp", "--in-place", target)

    assert [
        line
        for line in diff.stdout.splitlines()
        if line.startswith("-") and not line.startswith("---")
    ] == []
    assert "+      affinity:" in diff.stdout
    assert (edited.returncode, edited.stdout) == (0, "")
    assert "alibabacloud.com/external" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [target]


def test_patch_leaves_a_contradiction_and_says_so() -> None:
    file = EXAMPLES / "workloads.yaml"
    done = run("patch", "--policy", POLICY, file)

    assert done.returncode == 1
    assert "workloads.yaml:35:7: HG103 contradiction: rule batch-stays-home" in done.stderr
    assert done.stdout.count("nodeSelectorTerms") == 1


def test_every_verb_tells_what_cannot_be_judged_and_patch_leaves_it(tmp_path: Path) -> None:
    many = worst.daemonset(worst.affinity(*[worst.term(("a", "Exists"))] * 10_001))
    file = tmp_path / "many.json"
    file.write_text(json.dumps(many))

    for verb in ("patch", "audit", "explain"):
        done = run(verb, "--network", "bgp", file)
        assert done.returncode == 1, verb
        assert "HG109" in done.stdout + done.stderr, verb
        assert "cannot be judged: nodeSelectorTerms has 10001 terms, over 10000" in (
            done.stdout + done.stderr
        )
    assert run("patch", "--network", "bgp", file).stdout == file.read_text()


def test_explain_says_why_and_exits_by_the_findings() -> None:
    done = run("explain", "--network", "bgp", CALICO)
    quiet = run("explain", "--network", "overlay", CALICO)

    assert (done.returncode, quiet.returncode) == (1, 0)
    for words in (
        "placement  on-prem (calico, bgp network)",
        "can land   both",
        "patch      add",
        "HG101",
        "fix: add to each term",
    ):
        assert words in done.stdout
    assert "patch      none: it may run on both sides" in quiet.stdout
    assert "\x1b[" not in done.stdout


def test_explain_prints_the_documented_json() -> None:
    document = json.loads(run("explain", "--network", "bgp", "-o", "json", CALICO).stdout)

    assert document["version"] == 1
    assert set(document) == {"version", "findings", "workloads", "summary"}
    finding = document["findings"][0]
    assert set(finding) == {"rule", "level", "message", "fix", "object", "location"}
    assert finding["object"] == {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "namespace": "kube-system",
        "name": "calico-node",
    }
    assert finding["location"]["line"] == 32
    row = document["workloads"][0]
    assert {"object", "placement", "rule", "sides", "witness", "patch"} <= set(row)
    assert (row["placement"], row["rule"], row["sides"]) == ("on-prem", "catalogue/calico", "both")


def test_explain_picks_an_object_by_name_and_takes_namespaces_from_the_input() -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system, labels: {hybrid-guard.io/placement: any}}\n---\n"
    text = namespace + json.dumps(calico())
    picked = run(
        "explain", "--network", "bgp", EXAMPLES, "DaemonSet/kube-system/cilium", "-o", "json"
    )

    assert [row["object"]["name"] for row in json.loads(picked.stdout)["workloads"]] == ["cilium"]
    assert (
        "any (namespace kube-system is any)"
        in run("explain", "--network", "bgp", "-", stdin=text).stdout
    )
    given = run(
        "explain", "--network", "bgp", "--namespace-label", "kube-system=cloud", "-", stdin=text
    )
    assert "cloud (namespace kube-system is cloud)" in given.stdout


@pytest.mark.parametrize("written", ["daemonset", "daemonsets", "DAEMONSET", "DaemonSet"])
def test_a_kind_is_written_in_any_way_and_the_usual_namespace_needs_no_name(written: str) -> None:
    pod = {"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": []}}}}
    text = "---\n".join(
        json.dumps({"apiVersion": "apps/v1", "kind": kind, **pod})
        for kind in ("DaemonSet", "Deployment")
    )

    done = run("explain", "--network", "bgp", "-", f"{written}/default/a", stdin=text)

    assert done.stdout.startswith("DaemonSet/a  ")
    assert done.stdout.endswith("\n1 workload, 0 other objects: 0 errors, 0 warnings, 0 notes\n")


def test_explain_tells_what_a_change_restarts_and_the_owners_own_knob() -> None:
    helm = calico()
    helm["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    helm["status"] = {"desiredNumberScheduled": 42}
    helm["spec"]["updateStrategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1},
    }
    text = run("explain", "--network", "bgp", stdin=json.dumps(helm)).stdout
    row = json.loads(
        run("explain", "--network", "bgp", "-o", "json", stdin=json.dumps(helm)).stdout
    )["workloads"][0]
    quiet = json.loads(
        run("explain", "--network", "overlay", "-o", "json", stdin=json.dumps(helm)).stdout
    )["workloads"][0]

    told = "changes the pod template: restarts calico-node on 42 nodes, RollingUpdate, maxUnavailable 1"
    assert (
        f"  rollout    {told}\n  owner      Helm (label app.kubernetes.io/managed-by=Helm)\n"
        in text
    )
    assert row["rollout"] == told
    assert [owner["name"] for owner in row["owners"]] == ["Helm"]
    assert row["writers"] == []
    assert (quiet["rollout"], quiet["owners"]) == (None, [])


def test_explain_leaves_alone_what_admission_leaves_alone() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    made = {**calico(), "kind": "ReplicaSet"}
    made["metadata"] = {"name": "web-1", "namespace": "home", "ownerReferences": [owner]}
    going = calico()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    done = run(
        "explain", "--network", "bgp", "--namespace-label", "home=on-prem", "-o", "json",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [made, going]}),
    )  # fmt: skip

    rows = json.loads(done.stdout)["workloads"]
    assert done.returncode == 0
    assert [(row["patch"], row["unchangedBecause"]) for row in rows] == [
        (None, "Deployment/web made it: admission judges that one's template"),
        (None, "it is being deleted"),
    ]


def made_by(kind: str, *, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A ReplicaSet or a Pod of the namespace home, whose template may land anywhere."""
    pod = {"containers": [{"name": "c", "image": "x"}], **(spec or {})}
    return {
        "apiVersion": "v1" if kind == "Pod" else "apps/v1",
        "kind": kind,
        "metadata": {"name": "web-1", "namespace": "home", **metadata},
        "spec": pod if kind == "Pod" else {"template": {"spec": pod}},
    }


def controller(by: str) -> list[dict[str, Any]]:
    api_version, _, kind = by.rpartition(" ")
    return [{"apiVersion": api_version, "kind": kind, "name": "x", "uid": "u", "controller": True}]


NODE = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchFields": [
        {"key": "metadata.name", "operator": "In", "values": ["n"]}]}]}}}}  # fmt: skip


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (made_by("ReplicaSet", ownerReferences=controller("apps/v1 Deployment")), "Deployment/x made it"),
        (made_by("ReplicaSet", ownerReferences=controller("argoproj.io/v1alpha1 Rollout")), "Rollout/x made it"),
        (made_by("ReplicaSet", ownerReferences=controller("example.com/v1 Thing")), "Thing/x made it, a controller that is not known here: nothing is added"),
        (made_by("Pod", ownerReferences=controller("apps/v1 DaemonSet")), "DaemonSet/x made it"),
        (made_by("Pod", ownerReferences=controller("example.com/v1 Thing")), "Thing/x made it, a controller that is not known here: nothing is added"),
        (made_by("Pod", spec={"nodeName": "n"}), "it has its node already"),
        (made_by("Pod", annotations={"kubernetes.io/config.mirror": "x"}), "it has its node already"),
        (made_by("Pod", spec=NODE), "its matchFields name its node, as only a controller writes them"),
        (made_by("ReplicaSet", deletionTimestamp="2026-01-01T00:00:00Z"), "it is being deleted"),
        (made_by("ReplicaSet", ownerReferences=controller("apps/v1 Deployment") * 2), None),
        (made_by("ReplicaSet"), None),
        (made_by("Pod"), None),
    ],
)  # fmt: skip
def test_patch_leaves_byte_for_byte_what_admission_leaves_alone(
    obj: dict[str, Any], why: str | None
) -> None:
    text = json.dumps(obj)
    label = ("--network", "bgp", "--namespace-label", "home=on-prem")

    patched = run("patch", *label, stdin=text)
    explained = run("explain", *label, "-o", "json", stdin=text)

    (row,) = json.loads(explained.stdout)["workloads"]
    assert patched.returncode == 0, patched.stderr
    assert (patched.stdout == text) == (row["patch"] is None) == (why is not None)
    assert (row["unchangedBecause"] or "").startswith(why or "")


def test_explain_names_the_cure_for_colliding_field_managers_and_a_gone_api() -> None:
    flannel = run("explain", "--network", "bgp", EXAMPLES / "flannel-vxlan.yaml").stdout
    old = {**calico(), "apiVersion": "extensions/v1beta1"}
    gone = run("explain", "--network", "bgp", stdin=json.dumps(old)).stdout

    assert "hybrid-guard patch" in flannel
    assert "--force-conflicts" in flannel
    assert "extensions/v1beta1 DaemonSet is gone since Kubernetes 1.16: write apps/v1" in gone
    told = run("patch", "--network", "bgp", stdin=json.dumps(old))
    assert (told.returncode, "gone since Kubernetes 1.16" in told.stderr) == (0, True)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)
DEPLOYMENT = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec:\n  template:\n    spec:\n"


@pytest.mark.parametrize(
    ("text", "message", "status"),
    [
        ("a: [1\nb: 2\n", "bad.yaml:2:2: not YAML", 2),
        ("a: b: c\n", "bad.yaml:1:5: not YAML", 2),
        (b"\x00\x01\xff", "bad.yaml:1: not UTF-8 text", 2),
        (BOMB, "expand to over", 2),
        ("metadata: {name: x}\n", "bad.yaml:1:1: an object has no apiVersion", 2),
        ("apiVersion: v1\n", "bad.yaml:1:1: an object has no kind", 2),
        ("- a\n", "bad.yaml:1:1: a document is not a Kubernetes object", 2),
        ("kind: A\napiVersion: v1\nkind: B\n", "bad.yaml:3:1: not YAML: the key kind stands twice", 2),
        ("kind: A\napiVersion: v1\n1: x\n", "is not a string: put it in quotes", 2),
        ("kind: !!python/object:os.system x\napiVersion: v1\n", "is not plain YAML", 2),
        ("a: *nope\n", "bad.yaml:1:4: not YAML", 2),
        ("[" * 400 + "]" * 400, "nested over 200 levels", 2),
        (DEPLOYMENT + "      affinity: wrong\n", "bad.yaml:7:17", 1),
        (DEPLOYMENT + "      nodeSelector: {a: 1}\n", "bad.yaml:7:25", 1),
    ],
    ids=["open bracket", "two colons", "binary", "bomb", "no apiVersion", "no kind", "a list",
         "key twice", "number key", "python tag", "unknown alias", "depth", "affinity type", "selector type"],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["explain", "patch"])
def test_bad_input_gets_one_clear_message_and_changes_nothing(
    tmp_path: Path, verb: str, text: str | bytes, message: str, status: int
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = file.read_bytes()
    arguments = ["--in-place"] if verb == "patch" else []

    done = run(verb, "--network", "bgp", *arguments, file)

    assert done.returncode == status
    assert message in done.stdout + done.stderr
    assert file.read_bytes() == before


def test_a_policy_with_five_mistakes_gets_five_messages_with_lines(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "apiVersion: hybrid-guard.io/v1alpha1\nkind: Polcy\nnetwork: bpg\ncatalog: true\n"
        "rules:\n- name: a\n  placement: onprem\n  match: {kinds: [Deploymnt]}\n"
    )
    done = run("explain", "--policy", file, CALICO)

    assert done.returncode == 2
    assert [line.removeprefix(str(file)).strip() for line in done.stderr.splitlines()] == [
        ":2:1: kind: 'Polcy' is not known", "fix: did you mean Policy?",
        ":3:1: network: 'bpg' is not known", "fix: did you mean bgp?",
        ":4:1: catalog: catalog is not a key of a policy here", "fix: did you mean catalogue?",
        ":7:3: rules[0].placement: 'onprem' is not known", "fix: did you mean on-prem?",
        ":8:19: rules[0].match.kinds[0]: 'Deploymnt' is not a kind with a pod template", "fix: did you mean Deployment?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["explain", CALICO], 2, "give either --policy F or --network"),
        (
            ["explain", "--network", "bgp", "--policy", POLICY, CALICO],
            2,
            "give either --policy F or --network",
        ),
        (["explain", "--network", "vxlan", CALICO], 2, "vxlan"),
        (["explain", "--network", "bgp", "nowhere.yaml"], 3, "nowhere.yaml: no such file"),
        (["explain", "--policy", "nowhere.yaml", CALICO], 3, "nowhere.yaml: no such file"),
        (["explain", "--network", "bgp", "Thing/a/b"], 2, "write one of DaemonSet, Deployment"),
        (["explain", "--network", "bgp", "thing/a/b"], 3, "thing/a/b: no such file"),
        (
            ["explain", "--network", "bgp", CALICO, "daemonset/a/b"],
            3,
            "DaemonSet/a/b: not in what was given",
        ),
        (
            ["explain", "--network", "bgp", "--context", "x", CALICO],
            2,
            "are for KIND/NAMESPACE/NAME alone",
        ),
        (
            ["explain", "--network", "bgp", "--kubeconfig", "/nowhere", "DaemonSet/a/b"],
            3,
            "cannot look at the cluster: no usable kubeconfig",
        ),
        (["patch", "--network", "bgp", "--in-place"], 2, "--in-place needs files"),
        (["explain", "--network", "bgp", "--namespace-label", "x", CALICO], 2, "write NS=on-prem"),
        (["serve", "--network", "bgp"], 2, "give --cert F and --key F, or --dev"),
        (["explin"], 2, "explin"),
    ],
)
def test_usage_errors_say_what_to_write(arguments: list[str], status: int, message: str) -> None:
    done = run(*arguments)

    assert done.returncode == status
    assert message in done.stderr.replace("\n", " ")


def test_serve_with_a_broken_policy_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("network: x\n")
    done = run("serve", "--dev", "--port", "0", "--policy", file)

    assert done.returncode == 2
    assert "policy.yaml:1:1: network: 'x' is not known" in done.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m webhook explain --network bgp {EXAMPLES} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
