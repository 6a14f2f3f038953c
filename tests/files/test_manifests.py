"""Files become objects with their places, whatever their length and whatever is broken in them."""

from __future__ import annotations

import io
import json
import random
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.conftest import SEED, scaled, shared_path
from webhook.files import loader, manifests
from webhook.files.errors import FileError, ForeignError
from webhook.files.manifests import Manifest


class Trickle:
    """A stream that gives a few bytes a read, as a pipe may."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, self._most))


def scan(text: str | bytes, most: int = 1 << 20) -> list[Manifest | FileError]:
    data = text.encode() if isinstance(text, str) else text
    return list(manifests.scan(Trickle(data, most), "f"))


def told(text: str | bytes, most: int = 1 << 20) -> list[str]:
    """Names of objects with their lines, and errors, in the order of the file."""
    lines = []
    for found in scan(text, most):
        if isinstance(found, FileError):
            lines.append(str(found).split("\n")[0])
        else:
            line, column = found.locate(())
            lines.append(f"{found.object['metadata']['name']} {line}:{column}")
    return lines


def block(name: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n"


def compact(name: str) -> str:
    return f'{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}}}}'


def indented(*names: str) -> str:
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in names]
    return json.dumps({"apiVersion": "v1", "items": pods, "kind": "List"}, indent=2)


A, B, C = block("a"), block("b"), block("c")

Cases = dict[str, tuple[str | bytes, list[str]]]

READ: Cases = {
    "one document": (A, ["a 1:1"]),
    "a stream": (f"{A}---\n{B}--- # c\n{C}", ["a 1:1", "b 6:1", "c 11:1"]),
    "a marker first": (f"---\n{A}", ["a 2:1"]),
    "empty documents": (f"---\n---\n# nothing\n---\n{A}---\n", ["a 5:1"]),
    "nothing": ("", []),
    "comments alone": ("# a\n\n# b\n", []),
    "a marker on the object's line": ("--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", ["a 1:5"]),
    "markers without an end of line": (f"{A}---", ["a 1:1"]),
    "an explicit end": (f"{A}...\n---\n{B}", ["a 1:1", "b 7:1"]),
    "an end, and no marker": (f"{A}...\n{B}", ["a 1:1", "did not find"]),
    "directives": (f"%YAML 1.1\n---\n{A}...\n# why\n%YAML 1.1\n# more\n---\n{B}", ["a 3:1", "b 12:1"]),
    "dashes that are no marker": ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---x: 1\n", ["a 1:1"]),
    "a marker in an indented text": (f"{A}data: |\n  x\n  ---\n  y\n---\n{B}", ["a 1:1", "b 10:1"]),
    "CRLF": (f"{A}---\n{B}".replace("\n", "\r\n"), ["a 1:1", "b 6:1"]),
    "CR alone": (f"{A}---\n{B}".replace("\n", "\r"), ["a 1:1", "b 6:1"]),
    "byte-order marks": (f"\ufeff{A}---\n\ufeff{B}", ["a 1:1", "b 6:1"]),
    "a byte-order mark before a brace": (f"\ufeff{compact('a')}", ["a 1:1"]),
    "other line ends": (f"# \x85 \u2028 \n{A}---\n{B}", ["a 4:1", "b 9:1"]),
    "an indented document": (f"  apiVersion: v1\n  kind: Pod\n  metadata: {{name: a}}\n---\n{B}", ["a 1:3", "b 5:1"]),
    "a YAML List": ("kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n# c\n-   apiVersion: v1\n    kind: Pod\n    metadata: {name: b}\n", ["a 4:3", "b 8:5"]),
    "a YAML List with its kind last": ("apiVersion: v1\nitems:\n  - {apiVersion: v1, kind: Pod, metadata: {name: a}}\nkind: List\nmetadata: {}\n", ["a 3:5"]),
    "anchors and aliases": (f"{A}x: &x {{y: [1]}}\nz: *x\nw: [*x, &s t, *s]\n---\n{B}", ["a 1:1", "b 9:1"]),
    "an anchor inside of an anchor": (f"{A}x: &x [&y z]\nw: [*x, *y]\n", ["a 1:1"]),
    "an alias inside of an anchor": (f"{A}x: &x z\nw: &w [*x]\nv: *w\n", ["a 1:1"]),
    "an alias for a key": (f"{A}x: &x z\n*x : y\n", ["a 1:1"]),
    "a List with anchors": ("apiVersion: v1\nitems:\n- &x\n  apiVersion: v1\n  kind: Pod\n  metadata: &m {name: a}\n- <<: *x\n  metadata: {name: b}\nkind: List\n", ["a 3:3", "b 7:3"]),
    "Lists in Lists": ('{"kind":"List","apiVersion":"v1","items":[{"kind":"List","apiVersion":"v1","items":[\n' + compact("a") + "]},\n" + compact("b") + "]}", ["a 2:1", "b 3:1"]),
    "YAML Lists in Lists": ("apiVersion: v1\nkind: List\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n", ["a 7:5"]),
    "a typed list names its items": ('{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}', ["a 1:46"]),
    "a typed YAML list": ("kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: a}\n", ["a 4:3"]),
    "an empty List": ('{"apiVersion":"v1","items":[],"kind":"List"}\n' + compact("a"), ["a 2:1"]),
    "items that are no List": ('{"apiVersion":"v1","items":[' + compact("x") + '],"kind":"Set","metadata":{"name":"a"}}', ["a 1:1"]),
    "kubectl's JSON": (indented("a", "b"), ["a 4:5", "b 11:5"]),
    "JSON lines": (compact("a") + "\n" + compact("b") + "\n\n" + compact("c"), ["a 1:1", "b 2:1", "c 4:1"]),
    "JSON one behind the other": (compact("a") + compact("b"), ["a 1:1", f"b 1:{len(compact('a')) + 1}"]),
    "JSON documents with markers": (f"---\n{compact('a')}\n---\n{compact('b')}\n", ["a 2:1", "b 4:1"]),
    "YAML and JSON by turns": (f"{A}---\n{compact('b')}\n---\n{C}", ["a 1:1", "b 6:1", "c 8:1"]),
    "JSON indented with tabs": ('{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "a"}\n}', ["a 1:1"]),
    "YAML in flow style": ("{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\n" + B, ["a 1:1", "b 3:1"]),
    "YAML in flow style that looks like JSON": ('{"apiVersion": v1, "kind": Pod, "metadata": {"name": a}} # c\n---\n' + B, ["a 1:1", "b 3:1"]),
    "an emoji written as a pair": ('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","x":"\\ud83d\\ude00"}}', ["a 1:1"]),
}  # fmt: skip

BROKEN: Cases = {
    "a broken document in the middle": (f"{A}---\na: [1\nb: 2\n---\n{C}", ["a 1:1", "f:7:2: not YAML: did not find expected ',' or ']'", "c 9:1"]),
    "an open quote in the middle": (f'{A}---\na: "1\n---\n{C}', ["a 1:1", "f:7:1: not YAML: found unexpected end of stream", "c 8:1"]),
    "a tab": (f"{A}---\na:\n\tb: 1\n---\n{C}", ["a 1:1", "f:7:1: not YAML: found character that cannot start any token", "c 9:1"]),
    "a NUL": (f"{A}---\na: b\nc: \x00\n---\n{C}", ["a 1:1", "f:7:4: not YAML: control characters are not allowed", "c 9:1"]),
    "bytes that are no UTF-8": (A.encode() + b"---\na: b\nc: \xff\n---\n" + C.encode(), ["a 1:1", "f:7: not UTF-8 text", "c 9:1"]),
    "a key twice, and bytes that are no UTF-8": (compact("a").encode() + b'\n{"kind":"x",\n "kind":"\xff"}\n' + compact("c").encode(), ["a 1:1", "f:3: not UTF-8 text", "c 4:1"]),
    "UTF-16": (A.encode("utf-16"), ["f:1: not UTF-8 text"]),
    "a key twice": (f"{A}---\nkind: x\nkind: y\n---\n{C}", ["a 1:1", "f:7:1: not YAML: the key kind stands twice in one mapping", "c 9:1"]),
    "a key twice in JSON": (compact("a") + '\n{"kind":"x",\n "kind":"y"}\n' + compact("c"), ["a 1:1", "f:3:2: not YAML: the key kind stands twice in one mapping", "c 4:1"]),
    "a key twice in an item": (indented("a", "b", "c").replace('"name": "b"', '"name": "b", "name": "b"'), ["a 4:5", "f:15:22: not YAML: the key name stands twice in one mapping", "c 18:5"]),
    "a bomb": (f"{A}---\nx0: &x0 [a,a,a,a,a,a,a,a,a,a]\n" + "".join(f"x{n + 1}: &x{n + 1} [{','.join([f'*x{n}'] * 10)}]\n" for n in range(9)) + f"---\n{C}", ["a 1:1", "f:10:5: its aliases expand to over 10 times what is written", "c 17:1"]),
    "many aliases of much": (f"{A}x: &x [{'a,' * 1500}]\ny: [{'*x,' * 1500}]\n---\n{C}", ["f:6:4: its aliases expand to over 2000000 values", "c 8:1"]),
    "an alias of nothing": (f"a: *nope\n---\n{C}", ["f:1:4: not YAML: found undefined alias", "c 3:1"]),
    "an anchor twice": (f"{A}x: &x 1\ny: &x 2\n---\n{C}", ["f:6:4: not YAML: this anchor stands twice in one document", "c 8:1"]),
    "an alias inside what it names": ("a: &a [*a]\n", ["f:1:4: an alias stands inside what it names"]),
    "depth": (f"{A}---\n{'[' * 300}{']' * 300}\n---\n{C}", ["a 1:1", "f:6:201: nested over 200 levels", "c 8:1"]),
    "endless depth": (f"{A}---\n{'[' * 100_000}\n---\n{C}", ["a 1:1", "nested over", "c 8:1"]),
    "depth in JSON": (compact("a") + '\n{"a":' + "[" * 300 + "]" * 300 + "}\n" + compact("c"), ["a 1:1", "f:2:1: nested over 200 levels", "c 3:1"]),
    "endless depth in JSON": ('{"a":' + "[" * 100_000 + "\n" + compact("c"), ["nested over", "c 2:1"]),
    "a broken JSON line": (compact("a") + '\n{"a": 1,, "b": 2}\n' + compact("c"), ["a 1:1", "f:2:9: not JSON: expecting property name enclosed in double quotes", "c 3:1"]),
    "an open string in a JSON line": (compact("a") + '\n{"a": "1}\n' + compact("c"), ["a 1:1", "f:2:", "c 3:1"]),
    "a broken item": (indented("a", "b", "c").replace('"name": "b"', '"name": "b" 1'), ["a 4:5", "f:15:21: not JSON: expecting ',' delimiter"]),
    "JSON cut off": (indented("a", "b").split(' {\n        "name": "b"')[0], ["a 4:5", "f:14:18: not JSON: expecting value"]),
    "an item that is none": ('{"apiVersion":"v1","kind":"List","items":[1,' + compact("b") + "]}", ["f:1:43: a document is not a Kubernetes object", "b 1:45"]),
    "items without a comma": ('{"apiVersion":"v1","kind":"List","items":[' + compact("a") + compact("b") + "]}", ["a 1:43", "not JSON: expecting , or ]"]),
    "half a pair": ('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\\ud83d"}}', ["f:1:1: half a surrogate pair in a string"]),
    "NaN": ('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","x":NaN}}\n' + compact("b"), ["a 1:1", "b 2:1"]),
    "no kind": (f"apiVersion: v1\n---\n{B}", ["f:1:1: an object has no kind", "b 3:1"]),
    "a number for a kind": ("apiVersion: v1\nkind: 1\n", ["f:1:1: an object has no kind"]),
    "a text": ("hello\n", ["f:1:1: a document is not a Kubernetes object"]),
    "a list": ("- a\n", ["f:1:1: a document is not a Kubernetes object"]),
    "words behind JSON": (compact("a") + " x\n---\n" + B, ["a 1:1", "a document is not a Kubernetes object", "b 3:1"]),
}  # fmt: skip


@pytest.mark.parametrize("most", [1 << 20, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", [*READ, *BROKEN])
def test_objects_and_errors_come_in_order_with_their_lines(name: str, most: int) -> None:
    text, expected = {**READ, **BROKEN}[name]

    found = told(text, most)

    assert len(found) == len(expected), found
    for line, want in zip(found, expected, strict=True):
        assert line == want if re.fullmatch(r"\w \d+:\d+", want) else want in line


def test_documents_that_have_nothing_to_do_with_kubernetes_are_told_apart() -> None:
    kinds = [type(found) for found in scan("a: 1\n---\nkind: A\n---\napiVersion: v1\n---\n- x\n")]

    assert kinds == [ForeignError, FileError, FileError, ForeignError]


def walk(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, child in steps:
        yield from walk(child, (*path, step))


def check(text: str) -> int:
    """Compare objects and the place of every part of them with libyaml's nodes of the whole text."""
    wanted = []
    for root in loader.nodes(text, "f"):
        value = loader.construct(root, "f")
        lists = value["kind"] == "List"
        for prefix, obj in enumerate(value["items"]) if lists else [(None, value)]:
            before = () if prefix is None else ("items", prefix)
            places = [loader.place(loader.find(root, (*before, *path))[-1]) for path in walk(obj)]
            wanted.append((obj, places))
    found = [one for one in scan(text, 700) if isinstance(one, Manifest)]
    assert [
        (one.object, [one.locate(path) for path in walk(one.object)]) for one in found
    ] == wanted
    return len(wanted)


def test_real_manifests_are_read_as_libyaml_reads_the_whole_file() -> None:
    seen = 0
    for path in sorted(shared_path("corpus", "cni").rglob("*.yaml")):
        text = path.read_bytes().decode()
        if "<<:" not in text and len(text) < 60_000:  # merged keys stand where they were written
            seen += check(text)
    assert seen > 100


WORDS = ["x", "two words", "true", "1", "0x1F", "1_000", ".5", "1e3", "~", "", "# no", "a: b", "---", "- x", "é", "\U0001f600",
         "multi\nline\n", "yes", "null", "2024-01-02", "12:30", "=", "{", "0o17", "'", '"']  # fmt: skip


def anything(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(7) if depth < 4 else 0
    if kind == 1:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 3:
        shared = anything(rng, depth + 2)  # dumped with an anchor and an alias
        return {"one": shared, "two": [shared]}
    if kind == 2:
        return {
            f"{word}{n}": anything(rng, depth + 1) for n, word in enumerate(rng.sample(WORDS, 3))
        }
    return rng.choice([*WORDS, 1, -3, 2.5, True, False, None])


def test_generated_streams_are_read_as_libyaml_reads_the_whole() -> None:
    rng = random.Random(SEED)  # noqa: S311  # texts, not secrets
    for _ in range(scaled(2_000)):
        objects: list[Any] = [
            {"apiVersion": "v1", "kind": "Pod", "x": anything(rng)}
            for _ in range(rng.randrange(1, 4))
        ]
        if rng.random() < 0.5:
            objects = [{"kind": "List", "apiVersion": "v1", "items": objects}]
        if rng.random() < 0.3:
            text = "\n".join(
                json.dumps(one, indent=rng.choice((None, 2, "\t")), ensure_ascii=False) + "\n---"
                for one in objects
            )
            check(text.replace("\t", " "))
        else:
            style, flow = rng.choice((None, '"', "'", "|")), rng.choice((False, None))
            text = yaml.safe_dump_all(objects, default_style=style, default_flow_style=flow, sort_keys=rng.random() < 0.5,
                                      allow_unicode=rng.random() < 0.5, width=rng.choice((30, 1000)), line_break=rng.choice(("\n", "\r\n")))  # fmt: skip
            check(text)


@pytest.mark.parametrize("form", ["stream", "list", "lines"])
def test_a_long_file_costs_the_memory_of_a_short_one(form: str) -> None:
    pod = json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "x": "y" * 2000}}
    )

    def pieces() -> Iterator[bytes]:
        yield b'{"apiVersion":"v1","items":[' + pod.encode() if form == "list" else b""
        for _ in range(10_000):
            yield (
                {"stream": "---\n", "list": ",", "lines": "\n"}[form].encode()
                + pod.encode()
                + b"\n"
            )
        yield b'],"kind":"List"}' if form == "list" else b""

    class Endless:
        def __init__(self) -> None:
            self._pieces = pieces()
            self._left = b""

        def read(self, size: int) -> bytes:
            while len(self._left) < size:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._left += piece
            given, self._left = self._left[:size], self._left[size:]
            return given

    tracemalloc.start()
    count = sum(isinstance(one, Manifest) for one in manifests.scan(Endless(), "f"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count >= 10_000
    assert peak < 12 * 1024 * 1024, "of 20 MB"


def test_what_is_longer_than_a_document_may_be_is_told_and_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webhook.files.cutting.MAX_BYTES", 5_000_000)
    monkeypatch.setattr("webhook.files.jsons.MAX_BYTES", 5_000_000)
    long = "x" * 12_000_000

    for text, middle in (
        (f"{A}---\nlong: {long}\n---\n{C}", "f:6:1: a document of over 5000000 bytes"),
        (
            f'{compact("a")}\n{{"long": "{long}"}}\n{compact("c")}',
            "f:2:1: an object of over 5000000 bytes",
        ),
    ):
        first, error, last = told(text)
        assert (first, last[0], error) == ("a 1:1", "c", middle)


def test_a_number_that_python_cannot_write_is_an_error_with_its_place() -> None:
    for digits in ("1" * 5000, "0x" + "f" * 5000):
        (error,) = scan(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  a: {digits}\n"
        )

        assert str(error).startswith("f:5:6: ")

    (error,) = scan('{"a": 1' + "0" * 5000 + "}")
    assert str(error).startswith("f:1:1: a number of over 4,300 digits")


@pytest.mark.parametrize("what", ["items", "a long text"])
def test_aliases_expand_to_what_costs_no_more_than_in_proportion(what: str) -> None:
    shared = f"[{', '.join(map(str, range(3000)))}]" if what == "items" else "x" * 12_000
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\na: &a {shared}\n"
    few, many = (f"b: [{', '.join(['*a'] * count)}]\n" for count in (5, 500))

    (found,) = scan(text + few)
    (error,) = scan(text + many)

    assert not isinstance(found, FileError)
    assert "its aliases expand to over 10 times what is written" in str(error)
    assert "fix: write the values out" in str(error)


@pytest.mark.parametrize(
    "written",
    [
        "!!bool S3cretS3cret", "!!timestamp x", '!!int ""', '!!int "-"', "!!int 1_x", '!!float ""',
        "!!map [S3cret]", "!!map S3cret", "!!set [S3cret]", "!!seq {S3cret: b}", "!!seq S3cret", "!!omap {S3cret: b}",
        "!!pairs S3cret", "!!str [S3cret]", "!!binary {S3cret: b}", "!!null [S3cret]", "!!bool [S3cret]",
        "!!int 0x" + "f" * 5000, "!!int " + "1" * 5000,
    ],
)  # fmt: skip
def test_a_value_that_is_not_what_its_tag_says_is_an_error_with_its_place(written: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  a: {written}\n"

    (error,) = scan(text)

    assert isinstance(error, FileError)
    assert str(error).startswith("f:5:6: ")
    assert f"as its tag {written.split(maxsplit=1)[0]} says" in str(error)
    assert "S3cret" not in str(error)
