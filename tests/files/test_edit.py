"""Editing in place: the text beside the affinity stays byte for byte, in every style."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import shared_path
from webhook import workloads
from webhook.files import edit, manifests
from webhook.files.edit import Edit
from webhook.files.errors import FileError
from webhook.policy import parse
from webhook.policy.evaluate import evaluate
from webhook.policy.words import Network

POLICY = parse.for_network(Network.BGP)
BLOCK = """\
# the add-on
apiVersion: apps/v1
kind: DaemonSet   # kept
metadata: {name: calico-node, namespace: kube-system}
spec:
  template:
    spec:
      # before the first key
      containers:
      - name: c
        image: "x" # trailing
"""
ADDED = """\
affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - key: alibabacloud.com/external
                operator: NotIn
                values:
                - 'true'
      """


def edits_of(text: str) -> tuple[Edit, ...]:
    found = []
    for index, manifest in enumerate(manifests.parse(text, "f")):
        workload = workloads.read(manifest.object, POLICY.kinds)
        if workload is None:
            continue
        verdict = evaluate(workload, POLICY)
        if verdict.ops:
            found.append(Edit(index=index, ops=verdict.ops, planned=verdict.patched))
    return tuple(found)


def patched(text: str) -> str:
    """Edit a text, and check by means of its own that only additions were made."""
    edits = edits_of(text)
    assert edits, "nothing to edit"
    result = edit.apply(text, edits, "f")
    rest = result
    for splice in edit.plan(list(manifests.parse(text, "f")), edits):
        assert splice.text in rest
    before = [m.object for m in manifests.parse(text, "f")]
    after = [m.object for m in manifests.parse(result, "f")]
    for each in edits:
        wire = [op.wire() for op in each.ops]
        before[each.index] = jsonpatch.apply_patch(copy.deepcopy(before[each.index]), wire)
    assert after == before
    return result


def test_a_block_style_manifest_gets_exactly_the_affinity() -> None:
    assert patched(BLOCK) == BLOCK.replace("      containers:", "      " + ADDED + "containers:")


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    windows = "\ufeff" + BLOCK.replace("\n", "\r\n")
    result = patched(windows)

    assert result.startswith("\ufeff# the add-on\r\n")
    assert "\n" not in result.replace("\r\n", "")


TERMS = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: calico-node, namespace: kube-system}}
spec:
  template:
    spec:
      affinity:{affinity}
      containers: []
"""
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    "affinity",
    [
        "",
        " null  # none yet",
        " ~",
        " {}",
        " {nodeAffinity: {}}",
        " {nodeAffinity: null}",
        f"\n        nodeAffinity:\n          {REQUIRED}:\n            nodeSelectorTerms:\n            - matchExpressions:\n              - {{key: a, operator: Exists}}   # why\n              # and a comment\n            - matchExpressions: []\n              matchFields:\n              - {{key: metadata.name, operator: In, values: [n]}}",
        f"\n        nodeAffinity:\n           {REQUIRED}:\n              nodeSelectorTerms:\n                 -   matchExpressions:\n                      -   key: a\n                          operator: In\n                          values:\n                             - b\n\n\n",
        f" {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{{matchExpressions: [{{key: a, operator: Exists}}]}}, {{}}]}}}}}}",
        f"\n        nodeAffinity:\n          {REQUIRED}:\n            nodeSelectorTerms:\n            - matchFields:\n              - key: metadata.name\n                operator: In\n                values: [n]\n            -\n              matchExpressions:\n              - key: \"b\"\n                operator: 'Exists'",
        "\n        podAffinity:\n          note: |\n            a block\n            scalar\n\n",
        "\n        nodeAffinity:  # soon\n        podAffinity: {}",
    ],
)
def test_every_style_of_affinity_is_edited(affinity: str) -> None:
    patched(TERMS.format(affinity=affinity))


OBJ: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "calico-node", "namespace": "kube-system"},
    "spec": {"template": {"spec": {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "os", "operator": "In", "values": ["linux"]}]}]}}},
        "containers": [{"name": "c"}]}}},
}  # fmt: skip
BARE = copy.deepcopy(OBJ)
del BARE["spec"]["template"]["spec"]["affinity"]


@pytest.mark.parametrize("obj", [OBJ, BARE], ids=["terms", "bare"])
@pytest.mark.parametrize("indent", [None, 2, 4, "\t"], ids=["compact", "two", "four", "tabs"])
@pytest.mark.parametrize("listed", [False, True], ids=["one", "list"])
def test_json_stays_json_in_its_own_layout(obj: dict[str, Any], indent: Any, listed: bool) -> None:  # noqa: FBT001
    whole = {"apiVersion": "v1", "kind": "List", "items": [obj, obj]} if listed else obj
    text = json.dumps(whole, indent=indent)

    result = patched(text)

    assert json.loads(result) != whole
    if indent is None:
        assert "\n" not in result


def test_documents_beside_stay_and_several_are_edited() -> None:
    text = (
        "---\n" + BLOCK + "---\nkind: Service\napiVersion: v1\n...\n---\n" + BLOCK + "# the end\n"
    )
    result = patched(text)

    assert result.count("nodeSelectorTerms") == 2
    assert result.endswith("# the end\n")


def test_no_final_line_end_is_made_up() -> None:
    assert not patched(BLOCK.rstrip("\n")).endswith("\n")


def test_a_part_that_an_alias_shares_is_refused_with_its_place() -> None:
    text = BLOCK.replace("    spec:\n", "    spec: &pod\n") + "other: *pod\n"

    with pytest.raises(FileError) as raised:
        edit.apply(text, edits_of(text), "f.yaml")
    assert "f.yaml:7:11" in str(raised.value)
    assert "alias" in str(raised.value)


def test_an_anchor_nobody_else_uses_is_no_obstacle() -> None:
    patched(BLOCK.replace("    spec:\n", "    spec: &pod\n"))


def test_every_real_manifest_is_edited_and_nothing_else_in_it_changes() -> None:
    count = 0
    for path in sorted(shared_path("corpus", "cni").rglob("*.yaml")):
        text = path.read_bytes().decode()
        edits = edits_of(text)
        if not edits:
            continue
        result = edit.apply(text, edits, str(path))
        count += len(edits)
        back, offset = result, 0
        for splice in edit.plan(list(manifests.parse(text, str(path))), edits):
            at = splice.start + offset
            assert splice.start == splice.end
            assert back[at : at + len(splice.text)] == splice.text
            back = back[:at] + back[at + len(splice.text) :]
        assert back == text, path
    assert count >= 30


values = st.recursive(
    st.sampled_from(
        ["x", "two words", "true", "1", "", "# no", "a: b", "multi\nline\n", "é", None, 3, True]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    values, values, st.sampled_from([None, True, False]), st.integers(2, 6), st.booleans(),
    st.sampled_from([OBJ, BARE]), st.sampled_from(["\n", "\r\n"]), st.booleans(),
)  # fmt: skip
def test_generated_yaml_of_many_styles_is_edited(
    before: Any, after: Any, flow: bool | None, indent: int, explicit: bool,  # noqa: FBT001
    obj: dict[str, Any], newline: str, quoted: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    obj = copy.deepcopy(obj)
    pod = obj["spec"]["template"]["spec"]
    obj["spec"]["template"]["spec"] = {"a": before, **pod, "z": after}
    text = yaml.safe_dump(
        obj, default_flow_style=flow, indent=indent, explicit_start=explicit, sort_keys=False,
        default_style='"' if quoted else None, allow_unicode=True,
    )  # fmt: skip
    patched(text.replace("\n", newline))
