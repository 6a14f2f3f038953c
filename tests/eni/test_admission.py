from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.eni.samples import conf, raw
from tests.reviews import review
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.eni import jsontext
from webhook.policy import parse

ID, SECRET = "LTAI5tCanaryCanaryCanary", "CanarySecretCanarySecretCanary"
BASE = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: bgp\n"


BLANK = conf(access_key="", access_secret="")
FILLED = conf(access_key=ID, access_secret=SECRET)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ('{"a": 1,}', 1, 9, "a comma stands before the closing bracket"),
        ('{\n "a": 1\n "b": 2}', 3, 2, 'a comma or the closing bracket is expected, found "'),
        ("{'a': 1}", 1, 2, "a key in double quotes is expected, found '"),
        ('{"a": “x”}', 1, 7, "a value is expected, found “"),
        ('{"a": 1} x', 1, 10, "text follows after the end"),
        ("\ufeff{}", 1, 1, "byte-order mark"),
        ('{"a": NaN}', 1, 7, "NaN and Infinity"),
        ('{"a": "x\ty"}', 1, 9, "a control character"),
        ('{"a": "x', 1, 7, "a string has no end"),
        ('{"a": 01}', 1, 8, "a comma or the closing bracket"),
        ('{"a": "\\x"}', 1, 8, "a backslash starts no escape"),
        ('{"a": {{.Value}}}', 1, 8, "a key in double quotes"),
        ("{", 1, 2, "the text ends where a key"),
        ("[1 // no\n]", 1, 4, "found a comment"),
        ("[" * 10_001, 1, 10_001, "nested over 10000"),
    ],
)  # fmt: skip
def test_a_syntax_error_names_the_very_place(
    text: str, line: int, column: int, reason: str
) -> None:
    with pytest.raises(jsontext.JsonError) as raised:
        jsontext.parse(text)

    assert (raised.value.line, raised.value.column) == (line, column)
    assert reason in raised.value.reason


def plain(node: jsontext.Node) -> Any:
    if node.kind == "object":
        return {key: plain(value) for key, value in node.members().items()}
    if node.kind == "array":
        return [plain(item) for item in node.value]
    return json.loads(node.value) if node.kind == "number" else node.value


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[1,-2.5e3,true,false,null,"x\\n\\u00e9\\ud83d\\ude00"],"b":{},"c":[]}',
        " [ ] ",
        '"x"',
        "-0",
        '{"a":1,"a":2}',
    ],
)
def test_what_is_sound_is_read_as_the_standard_parser_reads_it(text: str) -> None:
    assert plain(jsontext.parse(text)) == json.loads(text)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert jsontext.parse('"\\ud800x\\udc00\\ud800\\u0041"').value == "\ufffdx\ufffd\ufffdA"


def ask(
    data: dict[str, Any], old: dict[str, Any] | None = None, extra: str = "", **options: Any
) -> dict[str, Any]:
    def config_map(
        data: dict[str, Any], name: str = "eni-config", *, immutable: bool = False
    ) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "kube-system"}
        more = {"immutable": True} if immutable else {}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, **more}

    name = options.pop("name", "eni-config")
    immutable = options.pop("immutable", (False, False))
    hook = options.pop("hook", Hook.VALIDATE)
    operation = "UPDATE" if old is not None else "CREATE"
    before = None if old is None else config_map(old, name, immutable=immutable[0])
    sent = review(config_map(data, name, immutable=immutable[1]), operation, before, **options)
    policy = parse.parse(yaml.safe_load(BASE + extra))
    answer, record = exchange.answer(hook, json.dumps(sent).encode(), policy)
    assert b"Canary" not in answer
    assert "Canary" not in str(record)
    response: dict[str, Any] = json.loads(answer)["response"]
    return response


def test_admission_denies_what_lacks_credentials_and_says_what_to_do() -> None:
    message = ask(BLANK)["status"]["message"]

    assert message.startswith("ENI020 eni_conf.access_key: ")
    assert "RAM user" in message
    assert ask(FILLED)["allowed"]
    assert ask(conf("access_secret", access_key=ID))["status"]["message"].startswith(
        "ENI021 eni_conf.access_secret: "
    )


def test_admission_judges_eni_config_alone_and_only_in_the_validating_hook() -> None:
    assert ask({"x": BLANK["eni_conf"]}, name="other")["allowed"]
    assert ask(BLANK, name="other", namespace="default")["allowed"]
    assert ask(BLANK, hook=Hook.MUTATE) == {"uid": ask(FILLED)["uid"], "allowed": True}
    assert ask({"x": "y"}, extra="eniConfig: {name: other}\n")["allowed"]


def test_an_update_that_changes_no_data_always_passes() -> None:
    assert ask(BLANK, BLANK)["allowed"]
    assert not ask(BLANK, FILLED)["allowed"]


def test_installers_may_leave_blank_what_is_blank_and_nobody_else() -> None:
    extra = 'eniConfig: {installers: ["system:serviceaccount:kube-system:console", "ops-*"]}\n'
    more = {**BLANK, "felix_relay_service": "x"}

    created = ask(BLANK, extra=extra, user="system:serviceaccount:kube-system:console")
    assert created["allowed"]
    assert created["warnings"][0].startswith("ENI020 ")
    assert ask(more, BLANK, extra=extra, user="ops-1")["allowed"]
    assert not ask(more, FILLED, extra=extra, user="ops-1")["allowed"]
    assert not ask(BLANK, extra=extra)["allowed"]
    assert not ask(more, BLANK, extra=extra)["allowed"]


def test_broken_json_around_a_credential_never_shows_it() -> None:
    for text in (
        f'{{"access_key": "{ID}" "x"',
        f'{{"access_key": {ID}}}',
        f"'{SECRET}'",
        f'{{"a\\q{SECRET}',
    ):
        assert not ask(raw(text))["allowed"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, FILLED), (FILLED, FILLED), (BLANK, FILLED), (BLANK, BLANK)],
)
@pytest.mark.parametrize("was", [False, True])
@pytest.mark.parametrize("name", ["eni-config", "pool"])
def test_an_immutable_eni_config_is_told_at_every_write(
    old: dict[str, Any] | None, new: dict[str, Any], name: str, *, was: bool
) -> None:
    told = ask(new, old, name=name, immutable=(was, True))
    quiet = ask(new, old, name=name, immutable=(was, False))

    assert told["allowed"]
    (line,) = [line for line in told["warnings"] if line.startswith("ENI015 immutable: ")]
    assert len(line) <= 120
    assert "is immutable" not in line  # Flux recreates what such words refuse
    assert not any(line.startswith("ENI015") for line in quiet.get("warnings", ()))


def test_an_immutable_eni_config_is_deleted_by_the_annotation_alone() -> None:
    by = parse.parse(yaml.safe_load(BASE))
    for annotated, allowed in (({}, False), ({"hybrid-guard.io/allow-delete": "true"}, True)):
        stored = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "eni-config",
                "namespace": "kube-system",
                "annotations": annotated,
            },
            "data": FILLED,
            "immutable": True,
        }
        sent = json.dumps(review(None, "DELETE", stored)).encode()
        answer, _ = exchange.answer(Hook.VALIDATE, sent, by)
        assert json.loads(answer)["response"]["allowed"] is allowed
