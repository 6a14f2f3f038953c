"""An eni-config ConfigMap as the rules see it: each embedded JSON parsed and decoded once."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from webhook.eni import credentials, fields, jsontext, shapes
from webhook.eni.fields import CNI_CONF, CNI_CONFLIST, ENI_CONF
from webhook.eni.jsontext import JsonError, Node
from webhook.eni.shapes import Mismatch, Path
from webhook.findings import Finding, Level, ObjectRef

Mode = Literal["inline", "secret-or-inline", "off"]
_DEPTH_SHOWN = 8  # a path is cut here: 10,000 levels would make 10,000 long paths
_STRIDE = 4_096


class Lines:
    """Where the lines of a text start; counted once, on the first question, in steps of _STRIDE."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks: list[tuple[int, int, int]] = []  # offset, breaks before it, start of its line

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column (1-based) of an offset."""
        marks = self._counted()
        mark, breaks, start = marks[bisect.bisect_right(marks, offset, key=itemgetter(0)) - 1]
        breaks += self._text.count("\n", mark, offset)
        last = self._text.rfind("\n", mark, offset)
        return breaks + 1, offset - (start if last < 0 else last + 1) + 1

    def _counted(self) -> list[tuple[int, int, int]]:
        if not self._marks:
            breaks = start = 0
            for mark in range(0, len(self._text) + 1, _STRIDE):
                self._marks.append((mark, breaks, start))
                breaks += self._text.count("\n", mark, mark + _STRIDE)
                last = self._text.rfind("\n", mark, mark + _STRIDE)
                start = start if last < 0 else last + 1
        return self._marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One JSON text in the ConfigMap. `root` is None when it is missing, blank or broken.

    `fields` are the members of the object, {} for null; None when there is no such object.
    """

    key: str
    text: str = ""
    root: Node | None = None
    error: JsonError | None = None
    lines: Lines = field(default_factory=lambda: Lines(""))
    fields: Mapping[str, Node] | None = field(init=False)

    def __post_init__(self) -> None:
        """Index the members once for all rules."""
        has_members = self.root is not None and self.root.kind in ("object", "null")
        members = self.root.members() if self.root is not None and has_members else None
        object.__setattr__(self, "fields", members)

    def get(self, name: str) -> Node | None:
        """Return a top-level member."""
        return (self.fields or {}).get(name)

    def raw(self, path: Path) -> str | None:
        """Return the text of a top-level member, None where there is none."""
        node = self.get(str(path[0])) if path else self.root
        return None if node is None else self.text[node.start : node.end]


class Finder:
    """Finds what stands at paths of one document; no object on their way is indexed twice."""

    def __init__(self, embedded: Embedded) -> None:
        self._root = embedded.root
        self._members: dict[Path, Mapping[str, Node]] = {(): embedded.fields or {}}

    def find(self, path: Path) -> Node | None:
        """Return the node at a path, or its nearest ancestor below the top; None without any."""
        node, found = self._root, None
        for depth, step in enumerate(path):
            node = None if node is None else self._step(node, path[:depth], step)
            if node is None:
                break
            found = node
        return found

    def _step(self, node: Node, path: Path, step: str | int) -> Node | None:
        if isinstance(step, str):
            if path not in self._members:
                self._members[path] = node.members()
            return self._members[path].get(step)
        inside = node.kind == "array" and step < len(node.value)
        return node.value[step] if inside else None


class Plugin(NamedTuple):
    """An object of the CNI file that describes a plugin: its path, its node, its members."""

    path: Path
    node: Node
    members: Mapping[str, Node]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a rule found: where, what and why, and what to write.

    `path` begins with the embedded document (`eni_conf`, `10-terway.conf`) or with a field of the
    ConfigMap (`data`, `binaryData`). `node` says the place in the text where it is not the path's.
    """

    path: Path
    message: str
    fix: str
    node: Node | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What no document can tell of itself; None where nobody looked.

    `crds`: the plurals served under crd.projectcalico.org. `base`: the eni-config beside an
    override, `merged` what the rules say of both merged. `named`: the ConfigMaps that node labels
    name, `overrides` the ConfigMaps there are that hold an eni_conf.
    """

    crds: frozenset[str] | None = None
    base: EniDocument | None = None
    merged: tuple[Finding, ...] = ()
    named: Mapping[str, int] | None = None
    overrides: frozenset[str] = frozenset()


NOTHING_AROUND = Around()


@dataclass(frozen=True, slots=True, kw_only=True)
class EniDocument:
    """What a rule may look at.

    `values` is eni_conf as Terway decodes it, every field with Go's zero value where it is absent;
    None when eni_conf is no JSON object. `partial`: a node-level override, of which nothing is
    required. `before`: the stored document an update replaces. `flaws`: what is wrong with each
    credential. `plugins`: the objects of the CNI file that describe one, `terway` those that are
    Terway's, or are meant to be. `wrong_paths`: where the `mismatches` are; ENI010 tells of them,
    other rules stay silent there.
    """

    ref: ObjectRef | None = None
    data: Mapping[str, Any]
    binary: Mapping[str, Any]
    annotations: Mapping[str, Any]
    immutable: bool
    mode: Mode
    partial: bool
    deleting: bool
    conf: Embedded
    cni: Embedded
    values: Mapping[str, Any] | None
    mismatches: tuple[Mismatch, ...]
    wrong_paths: frozenset[Path]
    wrong_fields: frozenset[str | int]
    plugins: tuple[Plugin, ...]
    terway: tuple[Plugin, ...]
    flaws: Mapping[str, credentials.Flaw]
    secrets: frozenset[str]
    before: EniDocument | None = None
    around: Around = NOTHING_AROUND

    @property
    def required(self) -> Mapping[str, Any] | None:
        """The values, where a key may not be missing: not in an override."""
        return None if self.partial else self.values

    def has(self, name: str) -> bool:
        """Tell whether eni_conf sets a field to something other than null."""
        node = self.conf.get(name)
        return node is not None and node.kind != "null"

    def mistyped(self, name: str) -> bool:
        """Tell whether a field has, or holds, a type that Go refuses."""
        return name in self.wrong_fields

    def blank(self, name: str) -> bool:
        """Tell whether a text of this name is missing or blank in the ConfigMap's data."""
        value = self.data.get(name)
        return value is None or (isinstance(value, str) and not value.strip())

    def embedded(self) -> tuple[Embedded, ...]:
        """The JSON texts that are judged."""
        return (self.conf, self.cni)

    def raw(self, path: Path) -> object:
        """Return what stands at the first two steps of a path, to be compared with another."""
        for embedded in self.embedded():
            if path[0] == embedded.key:
                return embedded.raw(path[1:2])
        return self.data.get(str(path[1])) if path[0] == "data" and len(path) > 1 else None


_CONTAINERS = ("object", "array")


def objects(embedded: Embedded) -> Iterator[tuple[Path, Node]]:
    """Yield every object of a document with its path; no recursion, no path over 8 steps."""
    waiting: list[tuple[Path, Node]] = [((embedded.key,), embedded.root)] if embedded.root else []
    while waiting:
        path, node = waiting.pop()
        if node.kind == "object":
            yield path, node
            waiting.extend(
                (_below(path, key.value), value)
                for key, value in reversed(node.value)
                if value.kind in _CONTAINERS
            )
        elif node.kind == "array":
            waiting.extend(
                (_below(path, at), item)
                for at, item in enumerate(node.value)
                if item.kind in _CONTAINERS
            )


def strings(embedded: Embedded) -> Iterator[tuple[Path, Node]]:
    """Yield every string value of a document with its path."""
    waiting: list[tuple[Path, Node]] = [((embedded.key,), embedded.root)] if embedded.root else []
    while waiting:
        path, node = waiting.pop()
        if node.kind == "string":
            yield path, node
        elif node.kind == "object":
            waiting.extend((_below(path, key.value), value) for key, value in reversed(node.value))
        elif node.kind == "array":
            pairs = reversed(list(enumerate(node.value)))
            waiting.extend((_below(path, at), item) for at, item in pairs)


def _below(path: Path, step: str | int) -> Path:
    return (*path, step) if len(path) < _DEPTH_SHOWN else path


def read(  # a document and what is known around it
    config_map: Mapping[str, Any],
    mode: Mode,
    *,
    ref: ObjectRef | None = None,
    partial: bool = False,
    deleting: bool = False,
    before: EniDocument | None = None,
    around: Around = NOTHING_AROUND,
) -> EniDocument:
    """Parse and decode a ConfigMap once for all rules."""
    data = _mapping(config_map.get("data"))
    metadata = _mapping(config_map.get("metadata"))
    conf = _embedded(data, ENI_CONF, keep_blank=partial)
    cni = Embedded(key=CNI_CONF) if partial else _cni(data)
    plugins = tuple(_plugins(cni))
    return EniDocument(
        ref=ref,
        data=data,
        binary=_mapping(config_map.get("binaryData")),
        annotations=_mapping(metadata.get("annotations")),
        immutable=config_map.get("immutable") is True,
        mode=mode,
        partial=partial,
        deleting=deleting,
        conf=conf,
        cni=cni,
        plugins=plugins,
        terway=tuple(plugin for plugin in plugins if _is_terway(plugin)),
        **_decoded(conf, mode),
        secrets=credentials.secrets(conf.root, data),
        before=before,
        around=around,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _cni(data: Mapping[str, Any]) -> Embedded:
    """Return the CNI file that terway-cli uses: the list where the key exists, even blank."""
    if isinstance(data.get(CNI_CONFLIST), str):
        return _embedded(data, CNI_CONFLIST, keep_blank=True)
    return _embedded(data, CNI_CONF)


def _embedded(data: Mapping[str, Any], key: str, *, keep_blank: bool = False) -> Embedded:
    text = data.get(key)
    if not isinstance(text, str) or not text or not (keep_blank or text.strip()):
        return Embedded(key=key)
    lines = Lines(text)
    try:
        return Embedded(key=key, text=text, root=jsontext.parse(text), lines=lines)
    except JsonError as error:
        told = error.with_traceback(None)  # its frames hold all that was parsed
        return Embedded(key=key, text=text, error=told, lines=lines)


def _plugins(cni: Embedded) -> Iterator[Plugin]:
    root, listed = cni.root, cni.get("plugins")
    if root is None or root.kind != "object":
        return
    if listed is None and cni.key == CNI_CONF:
        yield Plugin((cni.key,), root, cni.fields or {})
    elif listed is not None and listed.kind == "array":
        for index, item in enumerate(listed.value):
            if item.kind == "object":
                yield Plugin((cni.key, "plugins", index), item, item.members())


def _is_terway(plugin: Plugin) -> bool:
    kind = plugin.members.get("type")
    is_other = kind is not None and kind.kind == "string"
    return kind is None or not is_other or kind.value[: len("terway")].lower() == "terway"


def _decoded(conf: Embedded, mode: Mode) -> dict[str, Any]:
    """Return eni_conf as the daemon has it, and what the daemon or the init container refuses."""
    values: Mapping[str, Any] | None = None
    mismatches: list[Mismatch] = []
    if conf.fields is not None and conf.root is not None:
        values, mismatches = shapes.decode_twice(fields.CONFIG, conf.root)
    return {
        "values": values,
        "mismatches": tuple(mismatches),
        "wrong_paths": frozenset(mismatch.path for mismatch in mismatches),
        "wrong_fields": frozenset(mismatch.path[0] for mismatch in mismatches if mismatch.path),
        "flaws": {} if mode == "off" or values is None else credentials.flaws(values),
    }


def with_root(base: EniDocument, root: Node) -> EniDocument:
    """Return eni-config with another parsed eni_conf in it, which has no text of its own."""
    conf = Embedded(key=ENI_CONF, root=root)
    return replace(base, conf=conf, **_decoded(conf, base.mode))
