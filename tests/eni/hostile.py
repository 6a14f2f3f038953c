"""ConfigMaps that are made to cost time: every field and place, filled with every kind of token.

A document is a function from its size in bytes to the object, so that two sizes can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import Any

from tests.eni.samples import CNI, SOUND
from webhook.eni import fields

Make = Callable[[int], dict[str, Any]]
Text = Callable[[int], str]
Build = Callable[[str], dict[str, Any]]
Found = Iterator[tuple[str, Make]]
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What is repeated inside of a string, as it is written in JSON.
TOKENS = (
    "x", "1", "0", "1_", "1s", "1.", "-a", "cn-", "a1", "Aa", " ", ",", ".", ":", "=", "10.0.0.1/8,", "0.0.0.0/0,fd00::/8,",
    "$A", "${", "{{", "}}", "%A", "<%", "LTAI", "TFRB", "secret", "vsw-", "\\n", "\\\\", "\\u0041", "\\ud800", "\u00e9", "\u017f",
)  # fmt: skip
ENDS = ("", "!")
ITEMS = ('""', '"x"', '"vsw-1"', '"{{x}}"', "0", "-1", "1.5", "null", "true", "[]", "{}", '{"a":1,"a":2}', '["x"]', '{"type":"terway"}')  # fmt: skip
BROKEN = ("[", '{"a":', "]", '"', '"a" ', '"a":', "{{x ", "${", "\n", " ", "\t", "1,", '"a",', "[],", "//", "\\", "\ufeff", "e", "\x01")  # fmt: skip


def documents() -> Found:
    """Yield a name and a document for each place and token."""
    yield from chain(_fields(), _keys(), _cni(), _data(), _many(), _annotation())
    yield from chain(_texts("eni_conf", config_map), _texts("CNI file", _with_cni))


def filled(token: str, end: str = "") -> Text:
    """Return a text of one token again and again."""
    return lambda size: token * (size // len(token.encode()) + 1) + end


def listed(opening: str, item: str, closing: str) -> Text:
    """Return a list or an object of one item again and again, `#` in it replaced by its number."""

    def make(size: int) -> str:
        count = size // (len(item) + 3) + 1
        return opening + ",".join(item.replace("#", str(n)) for n in range(count)) + closing

    return make


def values() -> Iterator[tuple[str, Text]]:
    """Yield every kind of value that can be made longer."""
    for token, end in product(TOKENS, ENDS):
        yield f"{token!r} * n {end}", _around('"', filled(token, end), '"')
    yield "digits", filled("9")
    yield "a fraction", lambda size: "0." + "1" * size
    yield "an exponent", lambda size: "1e" + "9" * size
    yield "levels of lists", lambda size: "[" * (size // 2) + "]" * (size // 2)
    yield "levels of objects", lambda size: '{"a":' * (size // 6) + "1" + "}" * (size // 6)
    for item in ITEMS:
        yield f"a list of {item}", listed("[", item, "]")
        yield f"keys with {item}", listed("{", f'"k#":{item}', "}")
        yield f"one key with {item}", listed("{", f'"k":{item}', "}")
        yield f"zones with {item}", listed("{", f'"cn-a-#a":[{item}]', "}")


def config_map(eni_conf: str, cni: str = CNI, **data: Any) -> dict[str, Any]:
    """Return eni-config with these texts and more data."""
    texts = {"eni_conf": eni_conf, "10-terway.conf": cni, "disable_network_policy": "false"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "eni-config", "namespace": "kube-system"},
        "data": texts | data,
    }


def _around(before: str, text: Text, after: str) -> Text:
    return lambda size: before + text(size) + after


def _made(build: Build, text: Text) -> Make:
    return lambda size: build(text(size))


def _with_cni(text: str) -> dict[str, Any]:
    return config_map(json.dumps(SOUND), text)


def _fields() -> Found:
    for name in (*fields.CONFIG.fields, "Access_Key", "unknown"):
        sound = json.dumps({key: value for key, value in SOUND.items() if key != name})[1:]
        for kind, text in values():
            yield f"{name}: {kind}", _made(config_map, _around(f'{{"{name}":', text, f",{sound}"))


def _keys() -> Found:
    for token in TOKENS:
        text = _around('{"', filled(token), '":1}')
        yield f"a key of eni_conf: {token!r} * n", _made(config_map, text)
    for item, key in product(ITEMS, ("k#", "access_#", "max_eni", "Max_Eni")):
        text = listed("{", f'"{key}":{item}', "}")
        yield f"keys of eni_conf: {key} with {item}", _made(config_map, text)


def _texts(place: str, build: Build) -> Found:
    for token in BROKEN:
        yield f"{place}: {token!r} * n", _made(build, filled(token))
        yield f"{place}: {token!r} * n in a list", _made(build, _around("[", filled(token), ""))
    for kind, text in values():
        yield f"{place}: {kind}", _made(build, text)


def _cni() -> Found:
    for name in (*fields.CNI_ONLY, "type", "plugins", "backend"):
        for kind, text in values():
            whole = _around(f'{{"type":"terway","{name}":', text, "}")
            yield f"CNI {name}: {kind}", _made(_with_cni, whole)


def _data() -> Found:
    names = (fields.POLICY_SWITCH, fields.IN_CLUSTER_LB, "other", "access_key", "cni_chain")
    for name, token, end in product(names, TOKENS, ENDS):

        def put(text: str, name: str = name) -> dict[str, Any]:
            return config_map(json.dumps(SOUND), **{name: text})

        yield f"data.{name}: {token!r} * n {end}", _made(put, filled(token, end))
    for token in TOKENS:
        yield f"a key of data: {token!r} * n", _made(_with_key, filled(token))


def _with_key(key: str) -> dict[str, Any]:
    return config_map(json.dumps(SOUND), **{key: "abcd"})


def _many() -> Found:
    for key in ("k", "access_", "eni_conf", "Eni_Conf"):
        yield f"keys of data: {key}", _numbered("data", key, "abcd")
        yield f"keys of binaryData: {key}", _numbered("binaryData", key, "")
    odd: tuple[object, ...] = (None, 5, True, [], {})
    for value in odd:
        yield f"values of data: {value!r}", _numbered("data", "k", value)


def _numbered(part: str, key: str, value: object) -> Make:
    def make(size: int) -> dict[str, Any]:
        obj = config_map(json.dumps(SOUND))
        numbered = {f"{key}{number}": value for number in range(size // 20)}
        return {**obj, part: {**obj.get(part, {}), **numbered}}

    return make


def _annotation() -> Found:
    copies = ('access_key":"abcde",', 'access_key":"', "access_key", '\\"', '"', 'access_key" ')
    for token in (*copies, *TOKENS):
        yield f"the annotation of kubectl: {token!r} * n", _made(_annotated, filled(token))


def _annotated(text: str) -> dict[str, Any]:
    obj = config_map(json.dumps(SOUND))
    return {**obj, "metadata": {**obj["metadata"], "annotations": {APPLIED: text}}}
